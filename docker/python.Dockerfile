# A server from PyPI, or a Python program of ours: the interpreter with the standard library that servers use, packages
# and our sources, all of it compiled, and the bridge as /mcp. Nothing of a package runs here: what `cargo xtask
# build-images` fetched, compiled and packed in sandboxed containers is unpacked. The context: `runtime.py` of
# docker/python, `deps.tar` with what is installed, `own.tar` with our own files, `bridge.json` with what to run, `mcp`, the
# bridge.
ARG PYTHON_IMAGE=python:3.12-slim

FROM ${PYTHON_IMAGE} AS runtime
COPY runtime.py /pack/
RUN python3 -B /pack/runtime.py /image
# By this `cargo xtask prune` knows a stage, which an engine without BuildKit keeps as an image without a name.
ARG WORKSPACE
LABEL dev.drydock.workspace=${WORKSPACE}

FROM scratch
COPY --from=runtime /image/ /
ADD deps.tar /
# Before our own files, which change more often: a folder's time in this layer is that of the build.
COPY bridge.json /etc/mcp/bridge.json
ADD own.tar /
COPY mcp /mcp
ENV HOME=/home/mcp LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["/mcp", "health"]
ENTRYPOINT ["/mcp"]
CMD ["serve"]
