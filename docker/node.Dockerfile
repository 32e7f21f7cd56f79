# A server from npm, or from a package.json of ours: Node without npm, the server without what it does not run, and the
# bridge as /mcp. The context, staged by `cargo xtask build-images`: `deps/` holds the package.json and its lock, `source/`
# our own files, `pack/` the scripts of docker/node, `launch.json` what to run, `mcp` the bridge.
ARG NODE_IMAGE=node:22-slim

FROM ${NODE_IMAGE} AS runtime
COPY pack/runtime.mjs /pack/
RUN node /pack/runtime.mjs /image
# By this `cargo xtask prune` knows a stage, which an engine without BuildKit keeps as an image without a name.
ARG WORKSPACE
LABEL dev.drydock.workspace=${WORKSPACE}

FROM ${NODE_IMAGE} AS app
WORKDIR /app
ENV npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false npm_config_cache=/tmp/npm
# Empty where the person grants `install-scripts`.
ARG SCRIPTS=--ignore-scripts
# Of our own package all dependencies, as its build may need them; what is only for development goes after it.
COPY deps/ ./
RUN if [ -f package-lock.json ]; then npm ci --include=dev ${SCRIPTS}; else npm install --include=dev --no-save ${SCRIPTS}; fi \
 && rm -rf /tmp/npm
COPY source/ ./
RUN npm run build --if-present && npm prune --omit=dev --no-save && rm -rf /tmp/npm
COPY pack/app.mjs launch.json /pack/
RUN node /pack/app.mjs /app /pack/launch.json /image
ARG WORKSPACE
LABEL dev.drydock.workspace=${WORKSPACE}

FROM scratch
COPY --from=runtime /image/ /
COPY --from=app /app/node_modules/ /app/node_modules/
COPY --from=app /image/ /
COPY mcp /mcp
ENV HOME=/home/mcp NODE_ENV=production
WORKDIR /app
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["/mcp", "health"]
ENTRYPOINT ["/mcp"]
CMD ["serve"]
