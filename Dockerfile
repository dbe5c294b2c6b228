# The image: one static binary, the certificates of public authorities, a folder for data. Nothing else, not even a shell.
#
#   docker build -t larder .        or        make image
#   docker run -p 127.0.0.1:6379:6379 -e LARDER_ACCESS_ALLOW=172.17.0.0/16 -v larder:/data larder
#
# Without LARDER_ACCESS_ALLOW only the container itself may connect: see README.md, "In a container".

FROM docker.io/library/golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w -X larder/cmd/app.linkedVersion=$VERSION" -o /out/larder ./cmd/larder && mkdir /out/data

FROM scratch
LABEL org.opencontainers.image.title="Larder" \
      org.opencontainers.image.description="A cache gateway in front of engine nodes, in one binary" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/larder /larder
# The folder belongs to the user below, and so does a new volume, which starts as a copy of it.
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
VOLUME /data
# Every role listens where its container's network reaches it; who may connect to clients' port is access.allow, nobody outside by default.
ENV LARDER_GATEWAY_LISTEN=0.0.0.0:6379 \
    LARDER_ENGINE_LISTEN=0.0.0.0:6379 \
    LARDER_METRICS_LISTEN=0.0.0.0:9121 \
    LARDER_DATA_DIR=/data
# clients; metrics and health
EXPOSE 6379 9121
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["/larder", "healthcheck"]
ENTRYPOINT ["/larder"]
CMD ["dev"]
