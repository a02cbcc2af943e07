package dev.sund.kube.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KubeconfigTest {
  private static final String GOOD =
      """
      apiVersion: v1
      kind: Config
      current-context: home
      contexts:
      - {name: other, context: {cluster: none, user: nobody}}
      - {name: home, context: {cluster: c1, user: u1}}
      clusters:
      - name: c1
        cluster: {server: "http://192.168.1.10:6443"}
      users:
      - name: u1
        user: {token: secret}
      """;

  @TempDir Path folder;

  private ApiServer read(String text) throws IOException, ConfigException {
    return Kubeconfig.read(Files.writeString(folder.resolve("config"), text));
  }

  private void refused(String text, String why) {
    String file = folder.resolve("config").toString();
    assertThatThrownBy(() -> read(text))
        .isInstanceOf(ConfigException.class)
        .hasMessage(why.replace("FILE", file));
  }

  @Test
  void currentContextNamesServerAndToken() throws Exception {
    ApiServer server = read(GOOD);
    assertThat(server.toString()).isEqualTo("http://192.168.1.10:6443");
    assertThat(server.credential().token()).contains("secret");
    assertThat(server.tls()).isEmpty();
  }

  @Test
  void whatTheLabWritesIsRead() throws Exception {
    ApiServer server = read(Kubeconfig.text("http://[fd00::1]:8001", "to\"ken"));
    assertThat(server.endpoints()).containsExactly(new ApiServer.Endpoint("fd00::1", 8001));
    assertThat(server.toString()).isEqualTo("http://[fd00::1]:8001");
    assertThat(server.credential().token()).contains("to\"ken");
  }

  @Test
  void prefixAndDefaultPortOfTheUrlCount() throws Exception {
    ApiServer server = read(GOOD.replace("http://192.168.1.10:6443", "https://rancher/k8s/c-1/"));
    assertThat(server.endpoints()).containsExactly(new ApiServer.Endpoint("rancher", 443));
    assertThat(server.prefix()).isEqualTo("/k8s/c-1");
    assertThat(server.tls()).isPresent();
  }

  @Test
  void tokenFileIsReadAnewEachTime() throws Exception {
    Path token = Files.writeString(folder.resolve("token"), "one\n");
    ApiServer server = read(GOOD.replace("token: secret", "tokenFile: token"));
    assertThat(server.credential().token()).contains("one");
    Files.writeString(token, "two\n");
    assertThat(server.credential().token()).contains("two");
  }

  @Test
  void errorsNameFileAndField() {
    assertThatThrownBy(() -> Kubeconfig.read(Path.of("/nowhere/config")))
        .hasMessage(
            "File /nowhere/config: the file /nowhere/config does not exist. Check the path and its"
                + " rights. [invalid-field]");
    refused(
        "a: [",
        "File FILE: line 1, column 5: while parsing a flow node, expected the node content, but"
            + " found '<stream end>'. Correct the text. [malformed]");
    refused(
        GOOD.replace("current-context: home", "current-context: office"),
        "File FILE current-context: 'office' is no name in contexts. Add an entry with this name to"
            + " contexts, or name another. [invalid-field]");
    refused(
        GOOD.replace("cluster: c1,", "cluster: c2,"),
        "File FILE contexts[1].context.cluster: 'c2' is no name in clusters. Add an entry with this"
            + " name to clusters, or name another. [invalid-field]");
    refused(
        GOOD.replace("http://192.168.1.10:6443", "192.168.1.10:6443"),
        "File FILE clusters[0].cluster.server: '192.168.1.10:6443' is not the URL of a server."
            + " Write a URL such as https://192.168.1.10:6443. [invalid-field]");
    refused(
        GOOD.replace("token: secret", "exec: {command: aws}"),
        "File FILE users[0].user.exec: Sund does not have this. Give token, tokenFile or a client"
            + " certificate with its key. [not-supported]");
    refused(
        GOOD.replace("server:", "insecure-skip-tls-verify: true, server:"),
        "File FILE clusters[0].cluster.insecure-skip-tls-verify: 'true' would let anyone play the"
            + " API server. Give certificate-authority or certificate-authority-data."
            + " [not-supported]");
    refused(
        GOOD.replace("http:", "https:").replace("token: secret", "client-key-data: AAAA"),
        "File FILE users[0].user.client-certificate: the field is missing. A client certificate and"
            + " its key go together. [invalid-field]");
    refused(
        GOOD.replace("http:", "https:")
            .replace("server:", "certificate-authority: ca.crt, server:"),
        "File FILE clusters[0].cluster.certificate-authority: the file "
            + folder.resolve("ca.crt")
            + " does not exist. Check the path and its rights. [invalid-field]");
    refused(
        GOOD.replace("http:", "https:")
            .replace("server:", "certificate-authority-data: aGVsbG8=, server:"),
        "File FILE clusters[0].cluster: the certificates or the key cannot be used: there is no PEM"
            + " block CERTIFICATE. Check certificate-authority, client-certificate and client-key."
            + " [invalid-field]");
  }

  @Test
  void podOfTheClusterFindsItsServiceAccount() throws Exception {
    Map<String, String> environment =
        Map.of("KUBERNETES_SERVICE_HOST", "10.96.0.1", "KUBERNETES_SERVICE_PORT", "443");
    assertThatThrownBy(() -> Kubeconfig.inCluster(folder, List.of(), Map.of()))
        .hasMessageContaining("KUBERNETES_SERVICE_HOST");
    assertThatThrownBy(() -> Kubeconfig.inCluster(folder, List.of(), environment))
        .hasMessageContaining("token: the file");
    Files.writeString(folder.resolve("token"), "inside\n");
    Files.writeString(folder.resolve("ca.crt"), TestCertificates.make(folder).authority());
    ApiServer server = Kubeconfig.inCluster(folder, List.of(), environment);
    assertThat(server.toString()).isEqualTo("https://10.96.0.1:443");
    assertThat(server.credential().token()).contains("inside");
  }

  @Test
  void serversCanBeNamedInsteadOfTheService() throws Exception {
    Files.writeString(folder.resolve("token"), "inside\n");
    Files.writeString(folder.resolve("ca.crt"), TestCertificates.make(folder).authority());
    List<ApiServer.Endpoint> named =
        List.of(
            ApiServer.Endpoint.parse("192.168.1.10"), ApiServer.Endpoint.parse("[fd00::2]:443"));
    ApiServer inside = Kubeconfig.read(folder, named, Map.of());
    assertThat(inside.toString()).isEqualTo("https://192.168.1.10:6443, https://[fd00::2]:443");
    Path file = Files.writeString(folder.resolve("config"), GOOD);
    assertThat(Kubeconfig.read(file, named, Map.of()).endpoints()).isEqualTo(named);
    assertThat(Kubeconfig.read(file, List.of(), Map.of()).toString())
        .isEqualTo("http://192.168.1.10:6443");
  }

  @Test
  void endpointsAreHostsAddressesOrUrls() {
    assertThat(ApiServer.Endpoint.parse("https://k8s.example.org:443/").toString())
        .isEqualTo("k8s.example.org:443");
    assertThat(ApiServer.Endpoint.parse("fd00::1").toString()).isEqualTo("[fd00::1]:6443");
    for (String wrong : List.of("", ":6443", "http://x", "h:0", "h:70000", "a b", "h:")) {
      assertThatThrownBy(() -> ApiServer.Endpoint.parse(wrong))
          .as(wrong)
          .hasMessage(
              "'" + wrong + "' is not where an API server listens, such as 192.168.1.10:6443");
    }
  }
}
