# Build: docker build -t mcp-studio .    Run: docker compose up -d    (compose.yaml has the limits; docs/operations.md says more)
FROM node:20-bookworm-slim AS ui
WORKDIR /src/ui
COPY ui/package.json ui/package-lock.json ui/.npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY docs/openapi.json /src/docs/openapi.json
COPY ui/ ./
RUN npm run build

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=ui /src/ui/dist ui/dist
RUN CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o /out/studio . \
 && install -d -m 0700 /out/own/data && install -d -m 1777 /out/shared/tmp

# Nothing but the program and what it reads: certificate authorities and time zones. No shell, no package manager.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=build --chmod=0755 /out/studio /studio
# From one level above: what is in a copied directory keeps its mode, the place it is copied to does not (it would be 0755).
COPY --from=build /out/shared/ /
COPY --from=build --chown=10001:10001 /out/own/ /
# By number, so that an orchestrator can see that it is not root. The program is 0755: it starts itself again for its children.
USER 10001:10001
ENV STUDIO_DATA_DIR=/data STUDIO_ADDR=:3000
EXPOSE 3000
VOLUME /data
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["/studio", "healthcheck"]
# Running calls have 30 s to finish after a stop.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/studio"]
CMD ["serve"]
