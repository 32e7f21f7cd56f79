# A server from npm, or from a package.json of ours: Node without npm, the server without what it does not run, and the
# bridge as /mcp. Nothing of a package runs here: what `cargo xtask build-images` fetched, compiled and packed in sandboxed
# containers is unpacked. The context: `runtime.mjs` of docker/node, `deps.tar` with what is installed, `own.tar` with our
# own files, `bridge.json` with what to run, `mcp`, the bridge.
ARG NODE_IMAGE=node:22-slim

FROM ${NODE_IMAGE} AS runtime
COPY runtime.mjs /pack/
RUN node /pack/runtime.mjs /image
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
ENV HOME=/home/mcp NODE_ENV=production
WORKDIR /app
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["/mcp", "health"]
ENTRYPOINT ["/mcp"]
CMD ["serve"]
