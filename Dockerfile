# syntax=docker/dockerfile:1
# userd in a container: one binary on distroless, as a user without rights. See docs/operations.md.

FROM rust:1.95-bookworm AS build
# The commit that `userd version` names; there is no .git in here.
ARG USERD_COMMIT=unknown
WORKDIR /src
COPY . .
# Layers of dependencies are kept by the cache mounts; the binary is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --profile dist --package userd --bin userd \
    && install -D -m 755 target/dist/userd /out/usr/local/bin/userd \
    && install -d -m 700 /out/var/lib/userd/data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/usr/local/bin/userd /usr/local/bin/userd
# 65532 is `nonroot`; the folder holds SQLite and the development master key, when those are used.
COPY --from=build --chown=65532:65532 /out/var/lib/userd /var/lib/userd
WORKDIR /var/lib/userd
VOLUME ["/var/lib/userd/data"]
# Behind a port mapping, 127.0.0.1 would be reachable by nobody.
ENV USERD__HTTP__LISTEN=0.0.0.0:8080
EXPOSE 8080
USER 65532:65532
# Asks /readyz, on http.admin_listen where there is one; there is no shell and no curl in here.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["/usr/local/bin/userd", "health"]
# SIGTERM drains: readiness goes false, requests under way finish.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/userd"]
