package dev.sund.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.doctor.report.Configuration;
import dev.sund.doctor.report.PackedTree;
import dev.sund.doctor.report.Report;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is packed judges as the node did, and holds no secret. */
class ReportTest {
  private static final Instant TIME = Instant.parse("2026-03-01T10:00:00Z");

  @TempDir Path root;
  @TempDir Path folder;

  private static Examination look(Path tree, Recording recording) throws Exception {
    Facts none = Facts.none();
    Host host = new Host(tree, Duration.ZERO, _ -> {}, none, Set.of(), recording);
    return Examination.of(host, Catalogue.node());
  }

  private static Examination look(Path tree) throws Exception {
    return Examination.of(new Host(tree, Duration.ZERO, _ -> {}, Facts.none()), Catalogue.node());
  }

  /** All that can be said of an examination. */
  private static List<String> said(Examination found) {
    List<String> said = new ArrayList<>();
    for (Result result : found.results()) {
      String outcome =
          switch (result.outcome()) {
            case Result.Unread unread -> unread.toString();
            case Result.Judged judged -> judged.verdict().toString();
          };
      said.add(result.check().id() + " " + outcome);
    }
    return said;
  }

  private Path pack(Report report) throws IOException {
    Path archive = folder.resolve("node.tar.gz");
    report.write(archive, "sund-report-node", TIME, true);
    return archive;
  }

  @Test
  void theTreeLeadsToWhatTheNodeLedTo() throws Exception {
    new RecordedNode(root)
        .with("proc/sys/net/ipv4/ip_forward", "0")
        .with("proc/net/softnet_stat", "00000200 00000000", "00000200 00000010")
        .with("etc/sysctl.d/zz.conf", "net.core.somaxconn = 128")
        .with("proc/1/environ", "container=lxc\0PASSWORD=hunter2")
        .with("proc/vz/version", "1")
        .with("proc/bc/0", "")
        .without("opt/cni/bin/flannel")
        .unreadable("proc/meminfo")
        .host();
    Recording recording = new Recording();
    Examination live = look(root, recording);
    assertThat(live.findings()).hasSizeGreaterThan(4);
    assertThat(live.unread()).isNotEmpty();
    Report report = new Report();
    report.add(recording);

    try (PackedTree tree = PackedTree.of(pack(report))) {
      assertThat(said(look(tree.root()))).isEqualTo(said(live));
      assertThat(tree.root().resolve("proc/1/environ")).content().doesNotContain("hunter2");
    }
    // As a colleague unpacks it.
    run("tar", "-xzf", folder.resolve("node.tar.gz").toString(), "-C", folder.toString());
    try (PackedTree tree = PackedTree.of(folder.resolve("sund-report-node"))) {
      assertThat(said(look(tree.root()))).isEqualTo(said(live));
    }
    assertThat(folder.resolve("sund-report-node/tree/sund-window")).exists();
  }

  @Test
  void aHealthyNodeStaysHealthy() throws Exception {
    new RecordedNode(root).host();
    Recording recording = new Recording();
    look(root, recording);
    Report report = new Report();
    report.add(recording);
    try (PackedTree tree = PackedTree.of(pack(report))) {
      Examination again = look(tree.root());
      assertThat(again.findings()).isEmpty();
      assertThat(again.unread()).isEmpty();
    }
  }

  /** Secrets as files have them; each is named so that it can be found again. */
  private static final Map<String, String> PLANTED = new TreeMap<>();

  static {
    PLANTED.put(
        "etc/cni/net.d/20-other.conflist",
        """
        {"cniVersion": "0.3.1", "name": "other", "plugins": [{"type": "portmap",
          "etcd_key": "x", "apiToken": "planted-cni-1", "nested": {"password":"planted \\"cni-2"},
          "secrets": ["planted-cni-3", {"a": "planted-cni-4"}], "url": "https://me:planted-cni-5@etcd:2379/v2"}]}
        """);
    PLANTED.put(
        "etc/kubernetes/kubelet.conf",
        """
        apiVersion: v1
        clusters:
        - cluster:
            certificate-authority-data: UExBTlRFRGNlcnRpZmljYXRlMQ==planted-kc-1
            server: https://10.0.0.1:6443
        users:
        - name: me
          user:
            client-key-data: planted-kc-2
            client-certificate-data: >-
              planted-kc-3
              planted-kc-4
            token: planted kc-5
            password: 'planted-kc-6'
            exec:
              env:
              - name: AWS_SECRET_ACCESS_KEY
                value: planted-kc-7
        """);
    PLANTED.put(
        "etc/rancher/k3s/config.yaml",
        """
        token: planted-k3s-1
        agent-token: "planted-k3s-2"
        datastore-endpoint: postgres://k3s:planted-k3s-3@db:5432/k3s
        node-ip: 192.0.2.7
        kubelet-arg: ["--bootstrap-token=planted-k3s-4", "v=2"]
        """);
    PLANTED.put(
        "etc/rancher/k3s/registries.yaml",
        "configs:\n  reg:\n    auth:\n      username: me\n      password: planted-reg-1\n"
            + "      identity_token: planted-reg-2\n");
    PLANTED.put(
        "var/lib/kubelet/kubeadm-flags.env",
        "KUBELET_KUBEADM_ARGS=\"--node-ip=192.0.2.7 --token planted-flag-1\"\n");
    PLANTED.put(
        "etc/wireguard/wg0.conf",
        "[Interface]\n"
            + "PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n"
            + "[Peer]\n"
            + "PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n"
            + "PresharedKey = cDf7gPIZxzRlUA4qVn3eOcu2bDVhCvP7i8gU1nPH5Ak=\n"
            + "Endpoint = 192.0.2.9:51820\n");
    PLANTED.put(
        "etc/frr/frr.conf",
        "router bgp 64512\n"
            + " neighbor 192.0.2.1 remote-as 64513\n"
            + " neighbor 192.0.2.1 password planted-bgp-1\n"
            + " ip ospf message-digest-key 1 md5 planted-bgp-2\n");
    PLANTED.put(
        "etc/bird/bird.conf",
        "protocol bgp up { neighbor 192.0.2.1 as 64513; password \"planted-bird-1\"; }\n");
    PLANTED.put(
        "etc/NetworkManager/system-connections/home.nmconnection",
        "[wifi-security]\nkey-mgmt=wpa-psk\npsk=planted-nm-1\n[802-1x]\npassword=planted-nm-2\n");
    PLANTED.put(
        "etc/netplan/50.yaml",
        "network:\n"
            + "  wifis:\n"
            + "    wl0:\n"
            + "      access-points:\n"
            + "        \"home\": {password: planted-np-1}\n");
    PLANTED.put(
        "etc/kubernetes/manifests/apiserver.yaml",
        "command:\n"
            + "- kube-apiserver\n"
            + "- --service-account-signing-key=planted-man-1\n"
            + "- --token-auth-file=/etc/t.csv\n"
            + "env:\n"
            + "- name: DB_PASSWORD\n"
            + "  value: planted-man-2\n"
            + "headers: \"Authorization: Bearer planted-man-3.xyz\"\n"
            + "jwt eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJwbGFudGVkIn0.c2lnbmF0dXJl\n"
            + "-----BEGIN RSA PRIVATE KEY-----\n"
            + "planted-man-4\n"
            + "-----END RSA PRIVATE KEY-----\n"
            + "join abcdef.0123456789abcdef"
            + " K10aaaabbbbccccddddeeeeffff00001111::server:planted-man-5\n");
    PLANTED.put("proc/1/environ", "PATH=/bin\0TOKEN=planted-env-1\0HARMLESS=planted-env-2\0");
    PLANTED.put(
        "proc/4711/cmdline",
        "/usr/local/bin/kube-proxy\0--config=/var/lib/kube-proxy/config.conf\0--token=planted-cl-1\0"
            + "--password\0planted-cl-2\0--master=https://u:planted-cl-3@10.0.0.1\0");
    PLANTED.put("proc/cmdline", "root=/dev/vda1 ds=nocloud;token=planted-boot-1 quiet");
    PLANTED.put(
        "proc/4711/root/var/lib/kube-proxy/config.conf",
        "kind: KubeProxyConfiguration\nipvs:\n  strictARP: false\nmode: \"\"\n"
            + "clientConnection:\n  token: planted-kp-1\n");
    PLANTED.put(
        "etc/sysctl.d/k8s.conf",
        "net.ipv4.ip_forward = 1\nnet.ipv4.tcp_syncookies = 1\n"
            + "net.ipv6.conf.all.stable_secret = planted-sys-1\n");
  }

  private static final List<String> KEYS =
      List.of(
          "planted",
          "yAnz5TF",
          "cDf7gPIZ",
          "eyJhbGci",
          "eyJpc3Mi",
          "UExBTlRF",
          "abcdef.0123",
          "K10aaaa",
          "hunter2");

  @Test
  void noSecretGetsIntoTheArchiveAndTheFindingsStay() throws Exception {
    RecordedNode node = new RecordedNode(root);
    PLANTED.forEach(node::with);
    node.host();
    Recording recording = new Recording();
    Examination live = look(root, recording);
    Report report = new Report();
    report.add(recording);
    Configuration.add(root, report);
    report.add("sund/status.json", "{\"url\":\"https://u:planted@x\",\"token\":\"planted\"}");
    report.note("https://u:planted@x did not answer");

    Path archive = pack(report);
    run("tar", "-xzf", archive.toString(), "-C", folder.toString());
    Map<String, String> packed = new TreeMap<>();
    try (Stream<Path> all = Files.walk(folder.resolve("sund-report-node"))) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        packed.put(
            folder.resolve("sund-report-node").relativize(file).toString(),
            Files.readString(file, StandardCharsets.ISO_8859_1));
      }
    }
    packed.forEach(
        (name, text) -> KEYS.forEach(key -> assertThat(text).as(name).doesNotContain(key)));
    assertThat(report.notes()).allSatisfy(note -> assertThat(note).doesNotContain("planted"));
    // Each file that held one is there, and what is not secret still is.
    PLANTED.keySet().stream()
        .filter(path -> !path.matches("proc/[0-9].*"))
        .forEach(path -> assertThat(packed).containsKey("config/" + path));
    assertThat(packed.get("config/etc/rancher/k3s/config.yaml"))
        .contains("node-ip: 192.0.2.7", "token: (removed)", "v=2");
    assertThat(packed.get("config/etc/kubernetes/kubelet.conf"))
        .contains("server: https://10.0.0.1:6443", "exec:");
    assertThat(packed.get("config/etc/wireguard/wg0.conf")).contains("Endpoint = 192.0.2.9:51820");
    assertThat(packed.get("config/etc/frr/frr.conf")).contains("remote-as 64513");
    assertThat(packed.get("config/etc/sysctl.d/k8s.conf")).contains("tcp_syncookies = 1");
    assertThat(packed.get("tree/etc/cni/net.d/20-other.conflist"))
        .contains("\"type\": \"portmap\"");
    assertThat(packed.get("tree/proc/4711/cmdline")).contains("--config=/var/lib/kube-proxy/");

    try (PackedTree tree = PackedTree.of(archive)) {
      assertThat(said(look(tree.root()))).isEqualTo(said(live));
    }
  }

  @Test
  void theArchiveIsItsOwnersAndReplacesNothingUnasked() throws Exception {
    Report report = new Report();
    report.add("a/" + "long-".repeat(40) + "ä.txt", "text");
    Path archive = pack(report);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(archive)))
        .isEqualTo("rw-------");
    assertThatThrownBy(() -> report.write(archive, "top", TIME, false))
        .isInstanceOf(FileAlreadyExistsException.class);
    run("tar", "-xzf", archive.toString(), "-C", folder.toString());
    assertThat(folder.resolve("sund-report-node/a/" + "long-".repeat(40) + "ä.txt"))
        .hasContent("text");
    Path full = folder.resolve("none/x.tar.gz");
    assertThatThrownBy(() -> report.write(full, "top", TIME, false))
        .isInstanceOf(IOException.class);
    assertThatThrownBy(() -> report.write(Path.of("/proc/x.tar.gz"), "top", TIME, true))
        .isInstanceOf(IOException.class);
  }

  @Test
  void whatIsNoArchiveOrNoReportIsRefused() throws Exception {
    Path text = Files.writeString(folder.resolve("x.tar.gz"), "nothing");
    assertThatThrownBy(() -> PackedTree.of(text)).hasMessageContaining("no archive");
    Report report = new Report();
    report.add("only.txt", "x");
    Path other = pack(report);
    assertThatThrownBy(() -> PackedTree.of(other)).hasMessageContaining("holds no folder tree");
    byte[] bytes = Files.readAllBytes(other);
    Path half = Files.write(folder.resolve("half.tar.gz"), java.util.Arrays.copyOf(bytes, 60));
    assertThatThrownBy(() -> PackedTree.of(half)).hasMessageContaining("no archive");
    Report outside = new Report();
    outside.add("../../../../../../tmp/sund-outside.txt", "x");
    Path bad = pack(outside);
    assertThatThrownBy(() -> PackedTree.of(bad)).hasMessageContaining("outside of it");
    assertThat(Path.of("/tmp/sund-outside.txt")).doesNotExist();
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
  }
}
