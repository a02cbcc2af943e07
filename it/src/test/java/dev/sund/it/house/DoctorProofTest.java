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
  private static final String DEVICES = IT + "doctor/DoctorDevicesGuestTest.java";
  private static final String NODE = IT + "doctor/DoctorNodeTest.java";
  private static final String POD = IT + "doctor/DoctorPodTest.java";
  private static final String PROBE = IT + "doctor/ProbeTest.java";

  /** Manifests are what an API server shows: the fault of an object is in the object. */
  private static final String MANIFESTS =
      "doctor/src/test/java/dev/sund/doctor/cluster/ClusterManifestsTest.java";

  /** Which test makes which checks' faults, in namespaces, in the guest or in manifests. */
  private static final Map<String, List<String>> MADE =
      Map.ofEntries(
          Map.entry(
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
                  "tunnel-mtu")),
          Map.entry(
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
                  "route-localnet",
                  "syn-backlog",
                  "sysctl-devices",
                  "udp-buffers")),
          Map.entry(
              GUEST,
              List.of(
                  "conntrack-full",
                  "conntrack-losses",
                  "neighbours-full",
                  "proxy-strict-arp",
                  "sysctl-values")),
          Map.entry(
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
                  "tcp-memory")),
          Map.entry(DEVICES, List.of("fsync", "swap", "tunnel-offload", "vxlan-checksum")),
          Map.entry(NODE, List.of("kernel-needs", "networkd-routes", "virtualisation")),
          Map.entry(IT + "doctor/DoctorPolicyTest.java", List.of("inside-policy")),
          Map.entry(
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
                  "inside-waiting")),
          Map.entry(
              PROBE,
              List.of(
                  "probe-encapsulation",
                  "probe-icmp",
                  "probe-jumbo",
                  "probe-latency",
                  "probe-path-mtu",
                  "probe-underlay")),
          Map.entry(IT + "agent/WatchingTest.java", List.of("default-route")),
          Map.entry(
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
                  "service-ports")));

  /** Whose fault cannot be made by a test, and why; its page says the same. */
  private static final Map<String, String> REPLAYED =
      Map.ofEntries(
          Map.entry("cpu-pressure", "a machine would have to be overloaded for ten seconds"),
          Map.entry("cpu-steal", "only a hypervisor takes time away"),
          Map.entry("io-pressure", "a machine would have to be overloaded for ten seconds"),
          Map.entry("memory-pressure", "a machine would have to be overloaded for ten seconds"),
          Map.entry("rings", "no emulated card counts what its ring had no room for"));

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
