package dev.sund.kube.api;

import dev.sund.model.Checks;
import java.io.IOException;
import java.util.Optional;
import javax.net.ssl.SSLContext;

/**
 * An API server and how it knows us.
 *
 * @param host a name or an address (IPv6 without brackets)
 * @param port 1 to 65535
 * @param prefix what stands before every path, such as {@code /k8s/clusters/c-1}; mostly empty
 * @param tls how to speak TLS; empty for plain HTTP
 * @param serverName the name that the server's certificate must have; mostly the host
 * @param credential gives the bearer token, asked at each request since it may change
 */
public record ApiServer(
    String host,
    int port,
    String prefix,
    Optional<SSLContext> tls,
    String serverName,
    Credential credential) {
  public ApiServer {
    Checks.notEmpty("host", host);
    Checks.range("port", port, 1, 65535);
  }

  /** Gives the bearer token of the moment. */
  @FunctionalInterface
  public interface Credential {
    /** No token: the client certificate says who we are, or nothing does. */
    Credential NONE = Optional::empty;

    /** The token to send now. */
    Optional<String> token() throws IOException;
  }

  /** A server that speaks plain HTTP, as the lab's does. */
  public static ApiServer plain(String host, int port, String token) {
    return new ApiServer(host, port, "", Optional.empty(), host, () -> Optional.of(token));
  }

  /** {@code HOST:PORT}, IPv6 addresses in brackets. */
  public String authority() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }

  /** The URL without credentials. */
  @Override
  public String toString() {
    return (tls.isPresent() ? "https://" : "http://") + authority() + prefix;
  }
}
