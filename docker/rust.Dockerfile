# A server that is compiled in the engine, for machines that cannot make a static Linux binary themselves.
# The context, staged by `cargo xtask build-images`: `shell/` holds the manifests of the members that the server is made
# of, with empty sources, and `source/` the members themselves. So the dependencies are a layer of their own.
ARG RUST_IMAGE=rust:1-slim-bookworm
FROM ${RUST_IMAGE} AS build
ARG PACKAGE
ARG BINARY
ARG PROFILE=release
# Static, without unwind tables and symbols, and no path of the machine that builds.
ENV CARGO_INCREMENTAL=0 \
    RUSTFLAGS="-Ctarget-feature=+crt-static -Clink-arg=-Wl,-T,/drydock/no-unwind.ld -Clink-arg=-Wl,--no-eh-frame-hdr -Cstrip=symbols --remap-path-prefix=/usr/local/cargo=/cargo"
WORKDIR /drydock
COPY shell/ ./
RUN cargo build --profile ${PROFILE} --target "$(rustc -vV | sed -n 's/^host: //p')" --package ${PACKAGE} --bin ${BINARY}
COPY source/ ./
# cargo goes by time stamps, and a copied file may be older than the empty one that was compiled in its place.
RUN find . -path ./target -prune -o -type f -exec touch {} + \
 && target="$(rustc -vV | sed -n 's/^host: //p')" \
 && cargo build --profile ${PROFILE} --target "$target" --package ${PACKAGE} --bin ${BINARY} \
 && mkdir /image && cp "target/$target/${PROFILE}/${BINARY}" /image/mcp && touch -d @0 /image/mcp
# By this `cargo xtask prune` knows a stage, which an engine without BuildKit keeps as an image without a name.
ARG WORKSPACE
LABEL dev.drydock.workspace=${WORKSPACE}

FROM scratch
COPY --from=build /image/mcp /mcp
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["/mcp", "health"]
ENTRYPOINT ["/mcp"]
CMD ["serve"]
