package dev.sund.kube.api;

import dev.sund.model.Checks;
import dev.sund.model.Ip;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;

/**
 * The API servers of a cluster, all alike, and how they know us. All connections made with one
 * object share what they learn: when a server fails one of them, the others go elsewhere too.
 *
 * <p>For any thread.
 */
public final class ApiServer {
  private final List<Endpoint> endpoints;
  private final String prefix;
  private final Optional<Tls> tls;
  private final Optional<String> serverName;
  private final Credential credential;
  private final AtomicInteger preferred = new AtomicInteger();

  /**
   * Servers that are all alike.
   *
   * @param endpoints where they listen, the preferred first; at least one
   * @param prefix what stands before every path, such as {@code /k8s/clusters/c-1}; mostly empty
   * @param tls how to speak TLS; empty for plain HTTP
   * @param serverName the name that each server's certificate must have; empty: the endpoint's host
   * @param credential gives the bearer token, asked at each request since it may change
   */
  public ApiServer(
      List<Endpoint> endpoints,
      String prefix,
      Optional<Tls> tls,
      Optional<String> serverName,
      Credential credential) {
    this.endpoints = List.copyOf(endpoints);
    Checks.that(!endpoints.isEmpty(), "an API server needs an endpoint");
    this.prefix = prefix;
    this.tls = tls;
    this.serverName = serverName;
    this.credential = credential;
  }

  /**
   * Where a server listens.
   *
   * @param host a name or an address (IPv6 without brackets)
   * @param port 1 to 65535
   */
  public record Endpoint(String host, int port) {
    /** The port of an API server when nobody says otherwise. */
    public static final int DEFAULT_PORT = 6443;

    public Endpoint {
      Checks.notEmpty("host", host);
      Checks.range("port", port, 1, 65535);
    }

    /**
     * Parses {@code HOST}, {@code HOST:PORT}, an IPv6 address, or one in brackets with a port;
     * {@code https://} before and one slash behind do not count.
     *
     * @throws IllegalArgumentException naming the text
     */
    public static Endpoint parse(String text) {
      String bare = text.startsWith("https://") ? text.substring(8) : text;
      bare = bare.endsWith("/") ? bare.substring(0, bare.length() - 1) : bare;
      int colon = bare.lastIndexOf(':');
      boolean port = colon > 0 && (bare.indexOf(':') == colon || bare.charAt(colon - 1) == ']');
      String host = port ? bare.substring(0, colon) : bare;
      String number = port ? bare.substring(colon + 1) : String.valueOf(DEFAULT_PORT);
      if (host.startsWith("[") && host.endsWith("]")) {
        host = host.substring(1, host.length() - 1);
      }
      boolean sound = host.matches("[0-9A-Za-z._-]+") || Ip.tryParse(host).isPresent();
      if (!sound || !number.matches("[1-9][0-9]{0,4}") || Integer.parseInt(number) > 65535) {
        throw new IllegalArgumentException(
            "'" + text + "' is not where an API server listens, such as 192.168.1.10:6443");
      }
      return new Endpoint(host, Integer.parseInt(number));
    }

    /** {@code HOST:PORT}, IPv6 addresses in brackets. */
    @Override
    public String toString() {
      return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
  }

  /** Gives the bearer token of the moment. */
  @FunctionalInterface
  public interface Credential {
    /** No token: the client certificate says who we are, or nothing does. */
    Credential NONE = Optional::empty;

    /** The token to send now. */
    Optional<String> token() throws IOException;
  }

  /** Gives the authorities to trust and the certificate to show of the moment. */
  @FunctionalInterface
  public interface Tls {
    /** What the next connection uses; the same object as long as nothing has changed. */
    SSLContext context() throws IOException;
  }

  /** A server that speaks plain HTTP. */
  public static ApiServer plain(String host, int port, String token) {
    return new ApiServer(
        List.of(new Endpoint(host, port)),
        "",
        Optional.empty(),
        Optional.empty(),
        () -> Optional.of(token));
  }

  /** The same servers' credentials at other endpoints. */
  public ApiServer at(List<Endpoint> others) {
    return new ApiServer(others, prefix, tls, serverName, credential);
  }

  /** Where the servers listen, in the order in which they are tried now. */
  public List<Endpoint> endpoints() {
    int first = preferred.get();
    List<Endpoint> order = new ArrayList<>(endpoints.subList(first, endpoints.size()));
    order.addAll(endpoints.subList(0, first));
    return order;
  }

  /** This server answers: it is asked first from now on. */
  void answered(Endpoint endpoint) {
    preferred.set(Math.max(0, endpoints.indexOf(endpoint)));
  }

  /** This server does not answer, or not well: the next one is asked first from now on. */
  void failed(Endpoint endpoint) {
    int index = Math.max(0, endpoints.indexOf(endpoint));
    preferred.compareAndSet(index, (index + 1) % endpoints.size());
  }

  /** What stands before every path; mostly empty. */
  public String prefix() {
    return prefix;
  }

  /** How TLS is spoken; empty for plain HTTP. */
  public Optional<Tls> tls() {
    return tls;
  }

  /** The name that this server's certificate must have. */
  String nameOf(Endpoint endpoint) {
    return serverName.orElse(endpoint.host());
  }

  /** Gives the bearer token. */
  public Credential credential() {
    return credential;
  }

  /** The URLs without credentials, in the order in which they were given. */
  @Override
  public String toString() {
    String scheme = tls.isPresent() ? "https://" : "http://";
    return endpoints.stream()
        .map(endpoint -> scheme + endpoint + prefix)
        .collect(Collectors.joining(", "));
  }
}
