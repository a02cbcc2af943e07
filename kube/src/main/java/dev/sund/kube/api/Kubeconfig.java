package dev.sund.kube.api;

import dev.sund.kube.object.Field;
import dev.sund.kube.object.Problem;
import dev.sund.kube.tree.JsonText;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import dev.sund.kube.tree.YamlTrees;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads how to reach the API server: a kubeconfig file, or what a pod of the cluster finds in its
 * service account's folder.
 *
 * <p>Understood are {@code server}, {@code certificate-authority(-data)}, {@code tls-server-name},
 * {@code token}, {@code tokenFile}, {@code client-certificate(-data)} and {@code client-key(-data)}
 * of the current context. What would have to be understood to be safe or to work (exec plugins,
 * proxies, passwords, skipping verification) is refused, not passed over.
 */
public final class Kubeconfig {
  /** Where a pod finds its service account. */
  public static final Path SERVICE_ACCOUNT =
      Path.of("/var/run/secrets/kubernetes.io/serviceaccount");

  private final Path file;
  private final ObjectRef object;
  private final List<Problem> problems = new ArrayList<>();

  private Kubeconfig(Path file) {
    this.file = file;
    object = new ObjectRef("File", file.toString());
  }

  /**
   * Reads the current context of a kubeconfig file.
   *
   * @throws ConfigException naming file, field, value and remedy
   */
  public static ApiServer read(Path file) throws ConfigException {
    Kubeconfig config = new Kubeconfig(file);
    return config.server(config.tree());
  }

  /**
   * How to reach the API server: what a kubeconfig file says, or for a folder what a service
   * account finds there.
   *
   * @param endpoints where the servers listen; none: where the file or the environment says
   * @param environment for {@link #inCluster}
   * @throws ConfigException naming file, field, value and remedy
   */
  public static ApiServer read(
      Path fileOrFolder, List<ApiServer.Endpoint> endpoints, Map<String, String> environment)
      throws ConfigException {
    ApiServer server =
        Files.isDirectory(fileOrFolder)
            ? inCluster(fileOrFolder, endpoints, environment)
            : read(fileOrFolder);
    return endpoints.isEmpty() ? server : server.at(endpoints);
  }

  /**
   * The API server as a pod of its cluster finds it.
   *
   * @param folder {@link #SERVICE_ACCOUNT}
   * @param endpoints where the servers listen; none: where the environment says, which is a Service
   * @param environment for {@code KUBERNETES_SERVICE_HOST} and {@code KUBERNETES_SERVICE_PORT}
   * @throws ConfigException naming what is missing
   */
  public static ApiServer inCluster(
      Path folder, List<ApiServer.Endpoint> endpoints, Map<String, String> environment)
      throws ConfigException {
    Kubeconfig config = new Kubeconfig(folder);
    String host = environment.getOrDefault("KUBERNETES_SERVICE_HOST", "");
    String port = environment.getOrDefault("KUBERNETES_SERVICE_PORT", "");
    List<ApiServer.Endpoint> servers = new ArrayList<>(endpoints);
    if (servers.isEmpty() && !host.isEmpty() && isPort(port)) {
      servers.add(new ApiServer.Endpoint(host, Integer.parseInt(port)));
    }
    if (servers.isEmpty()) {
      throw config.fault(
          "",
          "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT do not name the API server.",
          "Run in a pod of the cluster, or give --api-server or --kubeconfig.");
    }
    Path token = folder.resolve("token");
    config.text(token, "token");
    config.text(folder.resolve("ca.crt"), "ca.crt");
    TlsFiles.Source authority = TlsFiles.Source.of(folder.resolve("ca.crt"));
    try {
      return new ApiServer(
          servers,
          "",
          Optional.of(TlsFiles.open(Optional.of(authority), Optional.empty(), Optional.empty())),
          Optional.empty(),
          () -> Optional.of(Files.readString(token).strip()));
    } catch (GeneralSecurityException | IOException e) {
      throw config.fault("ca.crt", "it is no certificate: " + e.getMessage() + ".", "Check it.");
    }
  }

  /**
   * The text of a kubeconfig for a server with a bearer token, as the lab gives to its agents.
   *
   * @param url such as {@code http://10.0.0.1:6443}
   */
  public static String text(String url, String token) {
    return text(url, token, Optional.empty());
  }

  /**
   * As above, for a server whose certificate this authority vouches for.
   *
   * @param authority certificates in PEM
   */
  public static String text(String url, String token, Optional<String> authority) {
    StringBuilder text = new StringBuilder();
    text.append("apiVersion: v1\nkind: Config\ncurrent-context: sund\n");
    text.append("contexts:\n- name: sund\n  context: {cluster: sund, user: sund}\n");
    text.append("clusters:\n- name: sund\n  cluster: {server: ");
    JsonText.quote(url, text);
    authority.ifPresent(pem ->
        text.append(", certificate-authority-data: ")
            .append(Base64.getEncoder().encodeToString(pem.getBytes(StandardCharsets.UTF_8))));
    text.append("}\nusers:\n- name: sund\n  user: {token: ");
    JsonText.quote(token, text);
    return text.append("}\n").toString();
  }

  private Tree tree() throws ConfigException {
    String text = text(file, "");
    List<Tree> documents;
    try {
      documents = YamlTrees.documents(text);
    } catch (MalformedException e) {
      throw new ConfigException(
          new Condition(
              Reason.MALFORMED,
              object,
              "",
              "line " + e.line() + ", column " + e.column() + ": " + e.getMessage() + ".",
              "Correct the text."));
    }
    if (documents.size() != 1) {
      throw fault(
          "", "one document is needed, here are " + documents.size() + ".", "Write a kubeconfig.");
    }
    return documents.getFirst();
  }

  private ApiServer server(Tree tree) throws ConfigException {
    Field root = Field.root(object, tree, problems);
    Field current = root.at("current-context");
    String name = needed(current, "Name one of the contexts.");
    Field context = named(root.at("contexts"), name, current).at("context");
    Field clusterName = context.at("cluster");
    Field cluster =
        named(root.at("clusters"), needed(clusterName, "Name a cluster."), clusterName)
            .at("cluster");
    Field userName = context.at("user");
    Optional<Field> user =
        userName.present()
            ? Optional.of(
                named(root.at("users"), needed(userName, "Name a user."), userName).at("user"))
            : Optional.empty();
    refuse(cluster, "proxy-url", "Leave it out: Sund goes to the API server directly.");
    if (cluster.at("insecure-skip-tls-verify").truth(false)) {
      cluster
          .at("insecure-skip-tls-verify")
          .problem(
              Reason.NOT_SUPPORTED,
              "'true' would let anyone play the API server.",
              "Give certificate-authority or certificate-authority-data.");
    }
    for (String field : List.of("exec", "auth-provider", "username", "password")) {
      user.ifPresent(
          it -> refuse(it, field, "Give token, tokenFile or a client certificate with its key."));
    }
    Field url = cluster.at("server");
    String text = needed(url, "Write the URL of the API server.");
    stopAtProblem();
    return server(url, text, cluster, user);
  }

  private ApiServer server(Field url, String text, Field cluster, Optional<Field> user)
      throws ConfigException {
    URI uri = uri(url, text);
    boolean secure = uri.getScheme().equals("https");
    Optional<ApiServer.Tls> tls = secure ? Optional.of(tls(cluster, user)) : Optional.empty();
    String host = uri.getHost();
    if (host.startsWith("[")) {
      host = host.substring(1, host.length() - 1);
    }
    String path = uri.getRawPath();
    String prefix = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
    int port = uri.getPort() > 0 ? uri.getPort() : secure ? 443 : 80;
    Optional<String> serverName =
        cluster.at("tls-server-name").text().filter(name -> !name.isEmpty());
    ApiServer.Credential credential =
        user.isPresent() ? credential(user.get()) : ApiServer.Credential.NONE;
    stopAtProblem();
    return new ApiServer(
        List.of(new ApiServer.Endpoint(host, port)), prefix, tls, serverName, credential);
  }

  private URI uri(Field field, String text) throws ConfigException {
    try {
      URI uri = new URI(text);
      boolean known = "https".equals(uri.getScheme()) || "http".equals(uri.getScheme());
      if (known && uri.getHost() != null) {
        return uri;
      }
    } catch (URISyntaxException _) {
      // said below
    }
    field.invalid(
        "'" + text + "' is not the URL of a server.",
        "Write a URL such as https://192.168.1.10:6443.");
    throw stop();
  }

  private ApiServer.Credential credential(Field user) throws ConfigException {
    Optional<String> token = user.at("token").text().filter(text -> !text.isEmpty());
    if (token.isPresent()) {
      return () -> token;
    }
    Optional<String> tokenFile = user.at("tokenFile").text().filter(text -> !text.isEmpty());
    if (tokenFile.isEmpty()) {
      return ApiServer.Credential.NONE;
    }
    Path path = resolved(tokenFile.get());
    text(path, user.at("tokenFile").path());
    return () -> Optional.of(Files.readString(path).strip());
  }

  private ApiServer.Tls tls(Field cluster, Optional<Field> user) throws ConfigException {
    Optional<TlsFiles.Source> authority = pem(cluster, "certificate-authority");
    Optional<TlsFiles.Source> certificate =
        user.isPresent() ? pem(user.get(), "client-certificate") : Optional.empty();
    Optional<TlsFiles.Source> key =
        user.isPresent() ? pem(user.get(), "client-key") : Optional.empty();
    stopAtProblem();
    if (certificate.isPresent() != key.isPresent()) {
      String missing = certificate.isPresent() ? "client-key" : "client-certificate";
      user.orElseThrow()
          .at(missing)
          .invalid("the field is missing.", "A client certificate and its key go together.");
      throw stop();
    }
    try {
      return TlsFiles.open(authority, certificate, key);
    } catch (GeneralSecurityException | IOException e) {
      throw fault(
          cluster.path(),
          "the certificates or the key cannot be used: " + e.getMessage() + ".",
          "Check certificate-authority, client-certificate and client-key.");
    }
  }

  /** The PEM text of a field that gives it in base64 ({@code NAME-data}) or names its file. */
  private Optional<TlsFiles.Source> pem(Field parent, String name) throws ConfigException {
    Field data = parent.at(name + "-data");
    Optional<String> encoded = data.text().filter(text -> !text.isEmpty());
    if (encoded.isPresent()) {
      try {
        byte[] bytes = Base64.getMimeDecoder().decode(encoded.get());
        String text = new String(bytes, StandardCharsets.UTF_8);
        return Optional.of(() -> text);
      } catch (IllegalArgumentException _) {
        data.invalid("the value is not base64.", "Write the PEM text encoded as base64.");
        return Optional.empty();
      }
    }
    Field path = parent.at(name);
    Optional<String> named = path.text().filter(text -> !text.isEmpty());
    if (named.isEmpty()) {
      return Optional.empty();
    }
    Path resolved = resolved(named.get());
    text(resolved, path.path());
    return Optional.of(TlsFiles.Source.of(resolved));
  }

  private Path resolved(String name) {
    return file.toAbsolutePath().resolveSibling(name);
  }

  private String text(Path path, String field) throws ConfigException {
    try {
      return Files.readString(path);
    } catch (IOException e) {
      String why = Files.exists(path) ? "cannot be read: " + e.getMessage() : "does not exist";
      throw fault(field, "the file " + path + " " + why + ".", "Check the path and its rights.");
    }
  }

  private Field named(Field list, String name, Field from) throws ConfigException {
    for (Field item : list.items()) {
      if (item.at("name").text().filter(name::equals).isPresent()) {
        return item;
      }
    }
    from.invalid(
        "'" + name + "' is no name in " + list.path() + ".",
        "Add an entry with this name to " + list.path() + ", or name another.");
    throw stop();
  }

  private String needed(Field field, String remedy) throws ConfigException {
    Optional<String> text = field.needed(remedy);
    if (text.isEmpty()) {
      throw stop();
    }
    return text.get();
  }

  private static void refuse(Field parent, String name, String remedy) {
    Field field = parent.at(name);
    if (field.present()) {
      field.problem(Reason.NOT_SUPPORTED, "Sund does not have this.", remedy);
    }
  }

  private void stopAtProblem() throws ConfigException {
    if (!problems.isEmpty()) {
      throw stop();
    }
  }

  private ConfigException stop() {
    return new ConfigException(problems.getFirst().condition());
  }

  private ConfigException fault(String field, String text, String remedy) {
    return new ConfigException(new Condition(Reason.INVALID_FIELD, object, field, text, remedy));
  }

  private static boolean isPort(String text) {
    return text.matches("[1-9][0-9]{0,4}") && Integer.parseInt(text) <= 65535;
  }
}
