package dev.sund.it.house;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.doctor.Catalogue;
import dev.sund.doctor.Check;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * Every check of the doctor has found its fault made for real, or its page says that it was tested
 * on recorded trees only, and why.
 */
class DoctorProofTest {
  private static final String IT = "it/src/test/java/dev/sund/it/";
  private static final String FAULTS = IT + "doctor/DoctorFaultsTest.java";
  private static final String MORE = IT + "doctor/DoctorMoreFaultsTest.java";
  private static final String MACHINE = IT + "doctor/DoctorMachineGuestTest.java";
  private static final String GUEST = IT + "doctor/DoctorGuestTest.java";
  private static final String POD = IT + "doctor/DoctorPodTest.java";
  private static final String PROBE = IT + "doctor/ProbeTest.java";

  /** Manifests are what an API server shows: the fault of an object is in the object. */
  private static final String MANIFESTS =
      "doctor/src/test/java/dev/sund/doctor/cluster/ClusterManifestsTest.java";

  /** Which test makes which checks' faults, in namespaces, in the guest or in manifests. */
  private static final Map<String, List<String>> MADE =
      Map.of(
          FAULTS,
          List.of(
              "bridge-hairpin",
              "cni-hairpin",
              "cni-two",
              "double-encapsulation",
              "foreign-rules",
              "forward-policy",
              "forwarding-off",
              "pair-mtu",
              "pod-device",
              "pod-route",
              "proxy-rules",
              "proxy-stale",
              "route-mtu",
              "tunnel-mtu"),
          MORE,
          List.of(
              "cni-addresses",
              "cni-config",
              "cni-masquerade",
              "cni-plugins",
              "fragments",
              "iptables-both",
              "listen-overflows",
              "pod-mtu",
              "proxy-mode",
              "proxy-two",
              "queue-drops",
              "resets",
              "retransmits",
              "reverse-path-filter",
              "syn-backlog",
              "sysctl-devices",
              "udp-buffers"),
          GUEST,
          List.of(
              "conntrack-full",
              "conntrack-losses",
              "neighbours-full",
              "proxy-strict-arp",
              "sysctl-values"),
          MACHINE,
          List.of(
              "bridge-netfilter",
              "clock-source",
              "conntrack-buckets",
              "conntrack-growth",
              "conntrack-size",
              "conntrack-talkers",
              "conntrack-timeouts",
              "interface-drops",
              "module-lists",
              "overlay-loss",
              "proxy-ipvs",
              "softnet-drops",
              "sysctl-files",
              "sysctl-ipvs",
              "sysctl-pods",
              "tcp-memory"),
          POD,
          List.of(
              "dns-answers",
              "inside-dns",
              "inside-dns-pair",
              "inside-dns-tcp",
              "inside-listen",
              "inside-mtu",
              "inside-names",
              "inside-resolv",
              "inside-route",
              "inside-waiting"),
          PROBE,
          List.of(
              "probe-encapsulation",
              "probe-icmp",
              "probe-jumbo",
              "probe-latency",
              "probe-path-mtu",
              "probe-underlay"),
          IT + "agent/WatchingTest.java",
          List.of("default-route"),
          MANIFESTS,
          List.of(
              "balancer-pools",
              "default-deny",
              "dns-pods",
              "dns-settings",
              "endpoint-lag",
              "load-balancer",
              "node-ranges",
              "pool-overlap",
              "pool-size",
              "pool-tunnel",
              "service-endpoints",
              "service-ports"));

  /** Whose fault cannot be made by a test, and why; its page says the same. */
  private static final Map<String, String> REPLAYED =
      Map.ofEntries(
          Map.entry("cpu-pressure", "a machine would have to be overloaded for ten seconds"),
          Map.entry("cpu-steal", "only a hypervisor takes time away"),
          Map.entry(
              "fsync",
              "no disk is slow when it is asked to be; that writes are timed is tested for real"),
          Map.entry("inside-policy", "it would take an agent beside a pod that has a DNS server"),
          Map.entry("io-pressure", "a machine would have to be overloaded for ten seconds"),
          Map.entry("kernel-needs", "it would take a kernel that lacks something"),
          Map.entry("memory-pressure", "a machine would have to be overloaded for ten seconds"),
          Map.entry("networkd-routes", "it would take a machine that systemd-networkd runs"),
          Map.entry("rings", "only real network cards have rings"),
          Map.entry("swap", "it would take a disk to swap to"),
          Map.entry("tunnel-offload", "only real network cards cut segments, or do not"),
          Map.entry("virtualisation", "it would take other hypervisors"),
          Map.entry("vxlan-checksum", "it would take VMware's network card"));

  /** The constant of checks that a test leaves out: they are named there, too. */
  private static final Pattern LEFT_OUT =
      Pattern.compile("static final Set<String> \\w+ =\\s*Set\\.of\\(.*?\\);", Pattern.DOTALL);

  @Test
  void everyCheckHasItsFaultMadeForRealOrSaysWhyNot() {
    List<String> said = new ArrayList<>(REPLAYED.keySet());
    MADE.values().forEach(said::addAll);
    assertThat(said)
        .as("checks with a fault in MADE or a reason in REPLAYED: each in one of them, once")
        .containsExactlyInAnyOrderElementsOf(
            Catalogue.all().stream().<String>map(Check::id).toList());
  }

  @Test
  void theTestThatMakesAFaultNamesTheCheckAndRunsOnARealKernelOrCluster() throws Exception {
    Map<String, String> wrong = new TreeMap<>();
    for (Map.Entry<String, List<String>> entry : MADE.entrySet()) {
      String text = read(entry.getKey());
      assertThat(
              text.contains("@Tag(\"netns\")")
                  || text.contains("@Tag(\"guest\")")
                  || entry.getKey().equals(MANIFESTS))
          .as(entry.getKey())
          .isTrue();
      String asserted = LEFT_OUT.matcher(text).replaceAll("");
      for (String id : entry.getValue()) {
        // As a word of a string: "pod-route", or "error pod-route: no way out".
        if (!Pattern.compile("\"([^\"\\n]*[^\"\\w-])?" + id + "(?![\\w-])")
            .matcher(asserted)
            .find()) {
          wrong.put(id, entry.getKey());
        }
      }
    }
    assertThat(wrong).as("checks that their test does not name").isEmpty();
  }

  @Test
  void thePageOfACheckSaysWhetherItsFaultWasOnlyReplayed() throws Exception {
    Map<String, String> wrong = new TreeMap<>();
    for (Check<?> check : Catalogue.all()) {
      String line = "Tested on recorded trees: " + REPLAYED.get(check.id()) + ".\n";
      String page = read("docs/doctor/" + check.id() + ".md");
      boolean says = page.contains("Tested on recorded trees");
      if (REPLAYED.containsKey(check.id()) ? !page.contains(line) : says) {
        wrong.put(check.id(), REPLAYED.getOrDefault(check.id(), "its fault is made for real"));
      }
    }
    assertThat(wrong).as("pages without the line, or with one that is not theirs").isEmpty();
  }

  private static String read(String file) throws IOException {
    return Files.readString(Sources.root().resolve(Path.of(file)));
  }
}
