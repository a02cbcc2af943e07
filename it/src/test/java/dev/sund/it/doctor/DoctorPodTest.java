package dev.sund.it.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.it.doctor.SmallDns.Fault;
import dev.sund.kernel.testing.TestNetns;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code sund doctor POD} on a node without an agent: faults made for real, one after another. */
@Tag("netns")
class DoctorPodTest {
  /** How often is looked again: the server is a thread here, that a busy machine may hold up. */
  private static final int LOOKS = 8;

  @TempDir Path folder;
  private DnsBed bed;

  @BeforeEach
  void aPod() throws Exception {
    bed = new DnsBed(folder);
  }

  @AfterEach
  void removed() throws Exception {
    bed.close();
  }

  @Test
  void whatIsWrongWithNamesIsFoundAndSaidInASentence() throws Exception {
    DnsBed.Ended well = saidAtLast("conclusion: The pod's network is well", "shop/web-0", "--all");
    assertThat(well.exitCode()).as(well.out() + well.err()).isZero();
    assertThat(well.out())
        .contains("servers [10.2.0.10], search [shop.svc.cluster.local,", "ndots 5")
        .contains("ways out: ipv4 via 10.1.0.1 by eth0, ipv6 via fd00:1::1 by eth0")
        .contains(
            "1 servers answer A and AAAA, mostly within", "10 pairs of questions, all answered")
        .contains(
            "kubernetes.default.svc.cluster.local is found as kubernetes.default.svc.cluster.local, by 8 questions")
        .contains("not known: No agent answers at")
        .contains("conclusion: The pod's network is well, DNS too");

    bed.dns.misbehave(Fault.NO_AAAA);
    Map<String, String> found = foundAtLast("conclusion", "inside-dns");
    assertThat(found.keySet()).containsExactly("conclusion", "inside-dns");
    assertThat(found.get("inside-dns")).contains("10.2.0.10 never answers questions for AAAA");
    assertThat(found.get("conclusion")).startsWith("It is DNS: 10.2.0.10 never answers");

    bed.dns.misbehave(Fault.LOSES_THE_SECOND);
    found = foundAtLast("conclusion", "inside-dns-pair");
    assertThat(found.keySet()).containsExactly("conclusion", "inside-dns-pair");
    assertThat(found.get("inside-dns-pair")).contains("1 lost an answer (10.2.0.10 AAAA)");

    bed.dns.misbehave(Fault.TRUNCATED);
    TestNetns.run(bed.far, "nft", "add", "table", "inet", "t");
    TestNetns.run(
        bed.far,
        "nft",
        "add",
        "chain",
        "inet",
        "t",
        "in",
        "{ type filter hook input priority 0; }");
    TestNetns.run(bed.far, "nft", "add", "rule", "inet", "t", "in", "tcp", "dport", "53", "drop");
    found = foundSaying("inside-dns-tcp", "10.2.0.10 (timeout)");
    assertThat(found.get("inside-dns-tcp")).contains("cut to fit UDP", "10.2.0.10 (timeout)");
    assertThat(found.get("conclusion")).contains("TCP, by which the rest comes, is not answered");

    bed.dns.misbehave(Fault.FAILS);
    assertThat(foundSaying("inside-dns", "SERVFAIL").get("inside-dns"))
        .contains("10.2.0.10 says SERVFAIL to A");

    bed.dns.misbehave();
    bed.dns.close();
    TestNetns.run(bed.far, "nft", "delete", "table", "inet", "t");
    found = bed.found();
    assertThat(found.keySet()).containsExactly("conclusion", "inside-dns");
    assertThat(found.get("inside-dns"))
        .contains("1 of 1 DNS servers of the pod do not answer: 10.2.0.10 (refused)");
  }

  /** What is found when these checks alone find something, or at the last look. */
  private Map<String, String> foundAtLast(String... checks) throws Exception {
    Map<String, String> found = bed.found();
    for (int i = 0; i < LOOKS && !found.keySet().equals(Set.of(checks)); i++) {
      found = bed.found();
    }
    return found;
  }

  /** What is found when a check says this, or at the last look. */
  private Map<String, String> foundSaying(String check, String text) throws Exception {
    Map<String, String> found = bed.found();
    for (int i = 0; i < LOOKS && !found.getOrDefault(check, "").contains(text); i++) {
      found = bed.found();
    }
    return found;
  }

  /** What the doctor says when it says this, or at the last look. */
  private DnsBed.Ended saidAtLast(String text, String... arguments) throws Exception {
    DnsBed.Ended ended = bed.doctor(arguments);
    for (int i = 0; i < LOOKS && !ended.out().contains(text); i++) {
      ended = bed.doctor(arguments);
    }
    return ended;
  }

  @Test
  void namesAreAskedForAsAProgramDoes() throws Exception {
    bed.dns.knows("db.shop.svc.cluster.local", "10.96.0.7").knows("www.example.org", "192.0.2.7");
    DnsBed.Ended ended =
        saidAtLast(
            "conclusion: It is DNS, of this name",
            "shop/web-0",
            "--ask",
            "db",
            "--ask",
            "www.example.org",
            "--ask",
            "none.",
            "--all");
    assertThat(ended.exitCode()).isEqualTo(1);
    assertThat(ended.out())
        .contains("none. is not found: none NXDOMAIN.")
        .contains("conclusion: It is DNS, of this name: none. is not found");

    DnsBed.Ended both =
        saidAtLast(
            "by 8 questions",
            "shop/web-0",
            "--ask",
            "db",
            "--ask",
            "www.example.org",
            "--only",
            "inside-names",
            "--all");
    assertThat(both.out())
        .contains("db is found as db.shop.svc.cluster.local, by 2 questions")
        .contains("www.example.org is found as www.example.org, by 8 questions");

    bed.resolv("nameserver 127.0.0.53\nsearch example.org\n");
    Map<String, String> found = bed.found();
    assertThat(found.get("inside-resolv")).contains("127.0.0.53, which is the pod itself");
  }

  @Test
  void theWayOutAndItsSizeComeBeforeDns() throws Exception {
    TestNetns.run(bed.pod, "ip", "link", "set", "eth0", "mtu", "1500");
    TestNetns.run(bed.node, "ip", "link", "set", "pod0", "mtu", "1400");
    Map<String, String> found = foundAtLast("conclusion", "inside-mtu");
    assertThat(found.keySet()).containsExactly("conclusion", "inside-mtu");
    assertThat(found.get("inside-mtu"))
        .contains("eth0 of shop/web-0 has MTU 1500, and the node's end of it, pod0, 1400.");
    TestNetns.run(bed.node, "ip", "link", "set", "pod0", "mtu", "1500");

    // The way beyond is narrower than the node: only who is on the way can say it.
    TestNetns.run(
        bed.node, "ip", "route", "add", "10.2.0.10/32", "dev", "eth0", "mtu", "lock", "1300");
    assertThat(bed.found().get("inside-mtu"))
        .contains("sends packets of 1500 bytes, and the way to 10.2.0.10 takes 1300");
    TestNetns.run(bed.node, "ip", "route", "delete", "10.2.0.10/32");

    // A gateway that nobody is.
    TestNetns.run(bed.pod, "ip", "route", "replace", "default", "via", "10.1.0.77");
    found = bed.found();
    assertThat(found.get("inside-route"))
        .contains("a default route via 10.1.0.77, which does not answer (ipv4)");
    assertThat(found.get("conclusion"))
        .startsWith("It is the pod's way out, and DNS fails with it");

    TestNetns.run(bed.pod, "ip", "route", "delete", "default");
    found = bed.found();
    assertThat(found.get("inside-route")).contains("shop/web-0 has no default route (ipv4)");
    assertThat(found.get("inside-dns")).contains("10.2.0.10 (unreachable)");
    assertThat(found.get("conclusion"))
        .startsWith("It is the pod's way out, and DNS fails with it");
  }

  @Test
  void aConnectionThatNobodyAnswersIsNamedWithItsService() throws Exception {
    // An address on the way that drops all, as of a Service without endpoints.
    TestNetns.run(bed.far, "ip", "addr", "add", "10.96.0.9/32", "dev", "lo");
    TestNetns.run(bed.node, "ip", "route", "add", "blackhole", "10.96.0.9/32");
    bed.start(
        bed.pod, "python3", "-c", "import socket; socket.create_connection(('10.96.0.9', 80), 60)");
    Path cluster = java.nio.file.Files.writeString(folder.resolve("cluster.yaml"), CLUSTER);
    Map<String, String> found = Map.of();
    for (int i = 0; i < 20 && !found.containsKey("inside-waiting"); i++) {
      Thread.sleep(500); // until it has been sent again
      found = bed.found("-f", cluster.toString());
    }
    assertThat(found.get("inside-waiting"))
        .contains("waits for 10.96.0.9:80 (Service shop/db, without a ready endpoint)");
    assertThat(found.get("conclusion")).startsWith("It is not DNS but who it connects to");
  }

  @Test
  void aProgramThatTakesNoConnectionsIsFoundByItsQueue() throws Exception {
    bed.start(
        bed.pod,
        "python3",
        "-c",
        "import socket, time; s = socket.socket(); s.bind(('10.1.0.5', 80)); s.listen(0);"
            + " time.sleep(60)");
    Map<String, String> found = Map.of();
    for (int i = 0; i < 20 && !found.containsKey("inside-listen"); i++) {
      bed.start(
          bed.far,
          "python3",
          "-c",
          "import socket; [socket.create_connection(('10.1.0.5', 80), 60) for i in range(4)]");
      found = bed.found();
    }
    assertThat(found.get("inside-listen"))
        .contains("shop/web-0 lets connections wait until its queue is full");
  }

  @Test
  void theClustersDnsIsAskedFromTheNode() throws Exception {
    Path cluster = java.nio.file.Files.writeString(folder.resolve("cluster.yaml"), DNS);
    String[] asked = {"--only", "dns-answers", "--all", "-f", cluster.toString()};
    assertThat(saidAtLast("1 check right", asked).out()).contains("1 check right");

    bed.dns.close();
    assertThat(bed.doctor(asked).out()).contains("error    dns-answers", "10.2.0.10 (refused)");
  }

  private static final String DNS =
      """
      apiVersion: v1
      kind: Node
      metadata: {name: n1}
      status: {addresses: [{type: InternalIP, address: 10.2.0.1}]}
      ---
      apiVersion: v1
      kind: Service
      metadata: {name: kube-dns, namespace: kube-system, labels: {k8s-app: kube-dns}}
      spec: {clusterIP: 10.2.0.10, selector: {k8s-app: kube-dns}, ports: [{port: 53, protocol: UDP}]}
      """;

  private static final String CLUSTER =
      """
      apiVersion: v1
      kind: Service
      metadata: {name: db, namespace: shop}
      spec: {clusterIP: 10.96.0.9, selector: {app: db}, ports: [{port: 80}]}
      """;

  @Test
  void whatIsNotThereIsSaidPlainly() throws Exception {
    DnsBed.Ended none = bed.doctor("shop/none");
    assertThat(none.exitCode()).isEqualTo(2);
    assertThat(none.err())
        .contains("There is no pod shop/none on this node", "Name a pod as NAMESPACE/NAME");

    DnsBed.Ended name = bed.doctor("shop/web-0", "--ask", "a..b");
    assertThat(name.exitCode()).isEqualTo(2);
    assertThat(name.err()).contains("--ask 'a..b' is no name that DNS knows");

    DnsBed.Ended node = bed.doctor("--ask", "db");
    assertThat(node.exitCode()).isEqualTo(2);
    assertThat(node.err()).contains("Name it: sund doctor NAMESPACE/POD --ask db");
  }
}
