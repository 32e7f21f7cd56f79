# A server from PyPI, or a Python program of ours: the interpreter with the standard library that servers use, packages
# installed by uv, all of it compiled, and the bridge as /mcp. The context, staged by `cargo xtask build-images`: `deps/`
# holds requirements.txt or pyproject.toml (and uv.lock), `source/` our own files, `pack/` the scripts of docker/python,
# `launch.json` what to run, `mcp` the bridge.
ARG PYTHON_IMAGE=python:3.12-slim
ARG UV_IMAGE=ghcr.io/astral-sh/uv:0.13.9

FROM ${UV_IMAGE} AS uv

FROM ${PYTHON_IMAGE} AS runtime
COPY pack/runtime.py /pack/
RUN python3 -B /pack/runtime.py /image
# By this `cargo xtask prune` knows a stage, which an engine without BuildKit keeps as an image without a name.
ARG WORKSPACE
LABEL dev.drydock.workspace=${WORKSPACE}

FROM ${PYTHON_IMAGE} AS app
ENV UV_PYTHON_DOWNLOADS=never UV_NO_CACHE=1 UV_LINK_MODE=copy UV_SYSTEM_PYTHON=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=uv /uv /usr/local/bin/uv
WORKDIR /app
# Empty where the person grants `install-scripts`: what is no wheel runs its own code when it is installed.
ARG SCRIPTS="--only-binary :all:"
COPY deps/ /deps/
COPY pack/deps.py /pack/
RUN if [ -f /deps/uv.lock ]; then \
        uv export --quiet --project /deps --frozen --no-dev --no-emit-project --output-file /deps/requirements.txt; \
    fi \
 && if [ -f /deps/requirements.txt ]; then list=/deps/requirements.txt; else list=/deps/pyproject.toml; fi \
 && uv pip install --target /app/lib ${SCRIPTS} --requirements "$list" && python3 /pack/deps.py /app/lib /image
COPY source/ /app/source/
COPY pack/app.py launch.json /pack/
RUN if [ -f /app/source/pyproject.toml ]; then \
        uv pip install --target /app/own --no-deps /app/source && rm -r /app/source && mkdir /app/source; \
    fi \
 && python3 /pack/app.py /app /pack/launch.json /image
ARG WORKSPACE
LABEL dev.drydock.workspace=${WORKSPACE}

FROM scratch
COPY --from=runtime /image/ /
COPY --from=app /app/lib/ /app/lib/
COPY --from=app /image/ /
COPY mcp /mcp
ENV HOME=/home/mcp LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["/mcp", "health"]
ENTRYPOINT ["/mcp"]
CMD ["serve"]
