# A server that was compiled on this machine as a static binary, and nothing else.
# The context holds one file, `mcp`. Labels are given by `cargo xtask build-images`.
FROM scratch
COPY mcp /mcp
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["/mcp", "health"]
ENTRYPOINT ["/mcp"]
CMD ["serve"]
