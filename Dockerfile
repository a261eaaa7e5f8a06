# Build: docker build -t mcp-studio .   Run: docker run -p 3000:3000 -v studio-data:/data mcp-studio
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
 && install -d -m 0700 /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build --chmod=0755 /out/studio /studio
COPY --from=build --chown=10001:10001 /out/data /data
USER 10001:10001
ENV STUDIO_DATA_DIR=/data STUDIO_ADDR=:3000
EXPOSE 3000
VOLUME /data

ENTRYPOINT ["/studio"]
CMD ["serve"]
