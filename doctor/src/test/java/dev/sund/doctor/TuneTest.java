package dev.sund.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.doctor.tune.KernelModules;
import dev.sund.doctor.tune.NotTunedException;
import dev.sund.doctor.tune.TunePlan;
import dev.sund.doctor.tune.TunePlanner;
import dev.sund.doctor.tune.Tuner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Settings planned, applied and put back on a tree: every byte of it counts. */
class TuneTest {
  private static final String NET = "proc/sys/net/";
  private static final String FORWARD = NET + "ipv4/ip_forward";
  private static final String FILE = "etc/sysctl.d/99-sund.conf";
  private static final String LIST = "etc/modules-load.d/sund.conf";

  @TempDir Path root;
  @TempDir Path state;

  /** Its only module is br_netfilter, whose keys come and go with it. */
  private final class TreeModules implements KernelModules {
    @Override
    public void load(String name) throws IOException {
      if (!name.equals("br_netfilter")) {
        throw new IOException("modprobe " + name + ": not found");
      }
      write("sys/module/br_netfilter/refcnt", "0\n");
      write(NET + "bridge/bridge-nf-call-iptables", "0\n");
      write(NET + "bridge/bridge-nf-call-ip6tables", "0\n");
    }

    @Override
    public boolean unload(String name) throws IOException {
      for (String key : List.of("bridge-nf-call-iptables", "bridge-nf-call-ip6tables")) {
        Files.deleteIfExists(root.resolve(NET + "bridge/" + key));
      }
      Files.deleteIfExists(root.resolve("sys/module/br_netfilter/refcnt"));
      Files.deleteIfExists(root.resolve("sys/module/br_netfilter"));
      return true;
    }
  }

  private void write(String path, String text) throws IOException {
    Files.createDirectories(root.resolve(path).getParent());
    Files.writeString(root.resolve(path), text);
  }

  private String read(String path) throws IOException {
    return Files.readString(root.resolve(path)).strip();
  }

  private Host host() {
    return new Host(root, Duration.ZERO, _ -> {}, Facts.none());
  }

  private TunePlan plan() throws Exception {
    return TunePlanner.of(host());
  }

  private Tuner tuner() {
    return new Tuner(root, state, new TreeModules(), _ -> {});
  }

  /** A node with as many faults as settings can mend. */
  private RecordedNode faulty() {
    return new RecordedNode(root)
        .with(FORWARD, "0")
        .with(NET + "ipv4/conf/all/rp_filter", "1")
        .without("proc/sys/net/bridge")
        .with("proc/modules", "nf_conntrack 180224 5 nf_nat,nft_ct, Live 0x0")
        .with("etc/modules-load.d/k8s.conf", "overlay")
        .with(NET + "netfilter/nf_conntrack_max", "65536")
        .with(NET + "netfilter/nf_conntrack_buckets", "1024")
        .with(NET + "core/somaxconn", "128")
        .with(NET + "ipv4/ip_local_port_range", "1024\t65535")
        .with(NET + "ipv4/ip_local_reserved_ports", "");
  }

  private Map<String, String> tree() throws IOException {
    Map<String, String> files = new TreeMap<>();
    try (Stream<Path> all = Files.walk(root)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        String path = root.relativize(file).toString();
        String text = Files.readString(file);
        // The kernel ends each value's line itself.
        files.put(path, path.startsWith("proc/sys/") ? text.replaceFirst("\\n$", "") : text);
      }
    }
    return files;
  }

  @Test
  void aHealthyNodeHasNothingToTune() throws Exception {
    new RecordedNode(root).host();
    TunePlan plan = plan();
    assertThat(plan.changes()).isFalse();
    assertThat(plan.keys()).isEmpty();
    assertThat(plan.files()).isEmpty();
    assertThat(plan.unread()).isEmpty();
    assertThat(plan.left()).extracting(TunePlan.Left::key).contains("net/core/somaxconn");
    assertThat(tuner().apply(plan)).isEmpty();
    assertThat(Tuner.isApplied(state)).isFalse();
  }

  @Test
  void whatIsAppliedHoldsIsFoundNoMoreAndIsPutBackByteForByte() throws Exception {
    faulty().host();
    Map<String, String> before = tree();

    TunePlan plan = plan();
    assertThat(plan.unread()).isEmpty();
    assertThat(plan.keys())
        .extracting(key -> key.key() + "=" + key.wanted())
        .containsExactlyInAnyOrder(
            "net/ipv4/ip_forward=1",
            "net/ipv4/conf/flannel.1/rp_filter=2",
            "net/bridge/bridge-nf-call-iptables=1",
            "net/bridge/bridge-nf-call-ip6tables=1",
            "net/netfilter/nf_conntrack_max=131072",
            "net/netfilter/nf_conntrack_buckets=32768",
            "net/core/somaxconn=4096",
            "net/ipv4/ip_local_reserved_ports=30000-32767");
    assertThat(plan.keys()).allSatisfy(key -> assertThat(key.why()).isNotBlank());
    assertThat(plan.modules())
        .extracting(module -> module.name() + " " + module.loaded())
        .containsExactlyInAnyOrder("br_netfilter false", "nf_conntrack true");
    assertThat(tree()).isEqualTo(before);

    assertThat(tuner().apply(plan))
        .contains("loaded br_netfilter", "set net.ipv4.ip_forward = 1 (was 0)", "wrote /" + FILE);
    assertThat(read(FORWARD)).isEqualTo("1");
    assertThat(read(NET + "netfilter/nf_conntrack_max")).isEqualTo("131072");
    assertThat(read(FILE))
        .contains("\nnet.ipv4.ip_forward = 1\n")
        .contains("\nnet/ipv4/conf/flannel.1/rp_filter = 2\n");
    assertThat(read(LIST)).contains("\nbr_netfilter\n").endsWith("\nnf_conntrack");

    Map<String, String> applied = tree();
    TunePlan again = plan();
    assertThat(again.changes()).isFalse();
    assertThat(again.keys()).hasSameSizeAs(plan.keys());
    assertThat(tuner().apply(again)).isEmpty();
    assertThat(tree()).isEqualTo(applied);

    assertThat(tuner().revert(true)).contains("remove /" + FILE);
    assertThat(tree()).isEqualTo(applied);
    tuner().revert(false);
    assertThat(tree()).isEqualTo(before);
    assertThat(Tuner.isApplied(state)).isFalse();
    assertThat(tuner().revert(false)).isEmpty();
  }

  @Test
  void aSecondApplyAfterAChangeStillRevertsToTheFirst() throws Exception {
    faulty().host();
    Map<String, String> before = tree();
    tuner().apply(plan());
    write(NET + "core/somaxconn", "64\n");
    assertThat(tuner().apply(plan())).containsExactly("set net.core.somaxconn = 4096 (was 64)");
    tuner().revert(false);
    assertThat(tree()).isEqualTo(before);
  }

  @Test
  void foldersThatWereNotThereAreNotThereAgain() throws Exception {
    faulty().without("etc/sysctl.d").without("etc/modules-load.d").host();
    tuner().apply(plan());
    assertThat(root.resolve(FILE)).exists();
    tuner().revert(false);
    assertThat(root.resolve("etc/sysctl.d")).doesNotExist();
    assertThat(root.resolve("etc/modules-load.d")).doesNotExist();
  }

  @Test
  void aStepThatFailsIsNamedAndAllBeforeItIsTakenBack() throws Exception {
    faulty()
        .with(NET + "bridge/bridge-nf-call-ip6tables", "1")
        .with("sys/module/br_netfilter/refcnt", "0")
        .host();
    // Takes what is written, and keeps nothing of it.
    Files.createSymbolicLink(
        root.resolve(NET + "bridge/bridge-nf-call-iptables"), Path.of("/dev/null"));
    Map<String, String> before = tree();
    assertThatThrownBy(() -> tuner().apply(plan()))
        .isInstanceOf(NotTunedException.class)
        .hasMessageContaining("Stopped at net.bridge.bridge-nf-call-iptables")
        .hasMessageEndingWith("All is as it was.");
    assertThat(tree()).isEqualTo(before);
    assertThat(Tuner.isApplied(state)).isFalse();
  }

  @Test
  void aModuleThatTheKernelHasNotIsNamed() throws Exception {
    faulty()
        .with("sys/module/br_netfilter/refcnt", "0")
        .with(NET + "bridge/bridge-nf-call-iptables", "1")
        .host();
    Map<String, String> before = tree();
    TunePlan plan = plan();
    List<TunePlan.Module> modules = new ArrayList<>(plan.modules());
    modules.add(new TunePlan.Module("ip_vs", false, "kube-proxy"));
    assertThatThrownBy(() ->
            tuner()
                .apply(
                    new TunePlan(plan.keys(), modules, plan.left(), plan.unread(), plan.files())))
        .hasMessageContaining("Stopped at the module ip_vs: modprobe ip_vs: not found");
    assertThat(tree()).isEqualTo(before);
  }

  @Test
  void aFileThatCannotBeWrittenIsNamedAndAllIsTakenBack() throws Exception {
    faulty().without("etc/modules-load.d").host();
    write("etc/modules-load.d", "in the way\n");
    Map<String, String> before = tree();
    TunePlan plan = plan();
    assertThatThrownBy(() -> tuner().apply(plan)).hasMessageContaining("modules-load.d");
    assertThat(tree()).isEqualTo(before);
    assertThat(Tuner.isApplied(state)).isFalse();
  }

  @Test
  void aRunThatDiesInTheMiddleIsPutBackFromWhatItKept() throws Exception {
    for (int keys = 0; keys < 7; keys++) {
      faulty().host();
      Map<String, String> before = tree();
      int most = keys;
      List<String> passed = new ArrayList<>();
      Tuner dies =
          new Tuner(
              root,
              state,
              new TreeModules(),
              key -> {
                passed.add(key);
                if (passed.size() > most) {
                  throw new IllegalStateException("killed");
                }
              });
      assertThatThrownBy(() -> dies.apply(plan())).hasMessage("killed");
      assertThat(tree()).isNotEqualTo(before);
      if (keys % 2 == 0) {
        tuner().apply(plan()); // goes on where it stopped
        assertThat(plan().changes()).isFalse();
      }
      tuner().revert(false);
      assertThat(tree()).isEqualTo(before);
    }
  }

  @Test
  void aValueThatSomebodyChangedSinceStays() throws Exception {
    faulty().host();
    tuner().apply(plan());
    write(NET + "netfilter/nf_conntrack_max", "262144\n");
    assertThat(tuner().revert(false))
        .contains(
            "net.netfilter.nf_conntrack_max stays 262144: somebody has changed it since (it was"
                + " 65536, and 131072 by sund tune)");
    assertThat(read(NET + "netfilter/nf_conntrack_max")).isEqualTo("262144");
    assertThat(read(FORWARD)).isEqualTo("0");
  }

  @Test
  void whatFilesWouldSetAtTheNextStartIsMendedBeforeItHappens() throws Exception {
    new RecordedNode(root)
        .with("etc/sysctl.d/50-local.conf", "net.core.somaxconn = 128")
        .with("etc/sysctl.d/zz.conf", "net.ipv4.ip_forward = 0")
        .host();
    TunePlan plan = plan();
    assertThat(plan.changes()).isTrue();
    assertThat(plan.keys()).noneMatch(TunePlan.Key::differs);
    assertThat(plan.keys())
        .extracting(TunePlan.Key::key)
        .containsExactlyInAnyOrder("net/core/somaxconn", "net/ipv4/ip_forward");
    for (TunePlan.Key key : plan.keys()) {
      if (key.key().equals("net/core/somaxconn")) {
        assertThat(key.setBy()).isEqualTo("etc/sysctl.d/50-local.conf");
        assertThat(key.overridden()).isEmpty();
      } else {
        assertThat(key.overridden()).contains("etc/sysctl.d/zz.conf");
      }
    }
    assertThat(tuner().apply(plan)).containsExactly("wrote /" + FILE);
    assertThat(plan().changes()).isFalse();
  }

  @Test
  void theTableOfConnectionsFollowsTheMachine() throws Exception {
    Map<String, String> sizes = new TreeMap<>();
    for (String memory : List.of("500000", "8000000")) {
      faulty().with("proc/meminfo", "MemTotal:        " + memory + " kB").host();
      for (TunePlan.Key key : plan().keys()) {
        if (key.key().endsWith("nf_conntrack_max")) {
          sizes.put(memory, key.wanted());
        }
      }
    }
    // An eighth of 500 MB bears 131,072 and less than 262,144 entries.
    assertThat(sizes).containsEntry("500000", "131072").containsEntry("8000000", "131072");
    faulty().with("proc/meminfo", "MemTotal:        300000 kB").host();
    assertThat(plan().keys()).noneMatch(key -> key.key().endsWith("nf_conntrack_max"));
  }

  @Test
  void fullTablesGetMoreRoomOnceAndNotAtEachRun() throws Exception {
    new RecordedNode(root)
        .with("proc/net/stat/arp_cache", "entries  allocs table_fulls\n00000400  0 00000009")
        .with(NET + "netfilter/nf_conntrack_count", "130000")
        .host();
    TunePlan plan = plan();
    assertThat(plan.keys())
        .extracting(key -> key.key() + "=" + key.wanted())
        .contains(
            "net/netfilter/nf_conntrack_max=262144", "net/ipv4/neigh/default/gc_thresh3=16384");
    tuner().apply(plan);
    assertThat(plan().changes()).isFalse();
  }

  @Test
  void anUnreadCheckIsSaidAndTheOthersGoOn() throws Exception {
    faulty().unreadable("proc/meminfo").host();
    TunePlan plan = plan();
    assertThat(plan.unread()).extracting(result -> result.check().id()).contains("conntrack-size");
    assertThat(plan.keys()).extracting(TunePlan.Key::key).contains("net/ipv4/ip_forward");
  }

  @Test
  void aFileOfOurNameThatSomebodyElseWroteIsLeft() throws Exception {
    faulty().with(FILE, "net.ipv4.ip_forward = 0").host();
    assertThatThrownBy(this::plan)
        .isInstanceOf(NotTunedException.class)
        .hasMessage("/" + FILE + " is there and was not written by sund tune.");
  }

  @Test
  void aStateOfAnotherReleaseIsRefusedAndNothingIsTouched() throws Exception {
    faulty().host();
    Files.writeString(state.resolve("tune"), "sund-tune 2\nkey\tnet/core/somaxconn\t1\t2\n");
    Map<String, String> before = tree();
    assertThatThrownBy(() -> tuner().apply(plan())).hasMessageContaining("'sund-tune 2'");
    assertThatThrownBy(() -> tuner().revert(false)).hasMessageContaining("'sund-tune 1' only");
    Files.writeString(state.resolve("tune"), "sund-tune 1\nnonsense\n");
    assertThatThrownBy(() -> tuner().revert(false)).hasMessageContaining("'nonsense'");
    assertThat(tree()).isEqualTo(before);
  }
}
