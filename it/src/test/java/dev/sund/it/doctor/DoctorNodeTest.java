package dev.sund.it.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.NetNs;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Faults of what a node runs on, made for real: Debian's systemd-networkd that removes a plugin's
 * routes, a container in place of a machine, a kernel that lacks what kube-proxy was told to use.
 * All programs of a test run in one network and one mount namespace, in which {@code /run} and
 * {@code /etc} are the test's own.
 */
@Tag("netns")
class DoctorNodeTest {
  private static final Path SUND = Path.of(System.getProperty("sund.root"), "sund");
  private static final Path NETWORKD = Path.of("/usr/lib/systemd/systemd-networkd");
  private static final Path CONFIGURATION = Path.of("/proc/config.gz");
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Holds the mount namespace; {@code $1} is where what is written to /etc goes. */
  private static final String NODE =
      """
      mount --make-rprivate / && mount -t sysfs sysfs /sys && mount -t tmpfs tmpfs "$1" &&
      mkdir "$1/upper" "$1/work" &&
      mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" /etc &&
      mount -t tmpfs -o mode=755 tmpfs /run && mkdir -p /run/netns /etc/cni/net.d &&
      echo ready && exec sleep 600
      """;

  private static final String PLUGIN =
      """
      {"cniVersion": "0.4.0", "name": "net", "plugins": [
        {"type": "bridge", "bridge": "cni0", "ipam": {"type": "host-local", "subnet": "10.1.0.0/24"}}]}
      """;

  @TempDir Path folder;
  private final TestNetns net = TestNetns.open();
  private final NetNs node = net.create("node");
  private final List<Process> started = new ArrayList<>();
  private Process keeper;

  @BeforeEach
  void aNode() throws Exception {
    Path etc = Files.createDirectory(folder.resolve("etc"));
    Path said = folder.resolve("ready");
    List<String> words = new ArrayList<>(List.of("nsenter", "--net=" + node.path(), "unshare"));
    words.addAll(List.of("--mount", "sh", "-c", NODE, "sh", etc.toString()));
    keeper =
        new ProcessBuilder(words).redirectErrorStream(true).redirectOutput(said.toFile()).start();
    started.add(keeper);
    await(() -> {
      String text = Files.readString(said);
      assertThat(keeper.isAlive()).as(text).isTrue();
      return text.contains("ready");
    });
  }

  @AfterEach
  void removed() throws Exception {
    for (Process process : started.reversed()) {
      stop(process);
    }
    net.close();
  }

  @Test
  void networkdThatRemovesAPluginsRoutesIsFoundUntilItIsToldNotTo() throws Exception {
    Assumptions.assumeTrue(Files.isExecutable(NETWORKD), "there is no systemd-networkd");
    write("/etc/cni/net.d/10-net.conflist", PLUGIN);
    in("ip link set lo up");
    in("ip link add wan0 type veth peer name wan1");
    in("ip link set wan0 up");
    in("ip link set wan1 up");
    in("mkdir -p /run/systemd/network /run/udev/data");
    write(
        "/run/systemd/network/10-wan.network",
        "[Match]\nName=wan0\n[Network]\nLinkLocalAddressing=no\n");
    // What udev writes of a device that it knows; networkd waits for it.
    for (String device : List.of("lo", "wan0", "wan1")) {
      String index = in("cat /sys/class/net/" + device + "/ifindex").strip();
      write("/run/udev/data/n" + index, "I:1\n");
    }
    assertThat(found("networkd-routes")).as("it does not run").isEmpty();

    plugInRoutes();
    Process networkd = networkd();
    await(() -> !in("ip route").contains("10.244.7.0/24") && !in("ip rule").contains("lookup 300"));
    List<Tree.Mapping> found = found("networkd-routes");
    assertThat(found).hasSize(1);
    assertThat(found.getFirst().text("text").orElseThrow())
        .contains("ManageForeignRoutes=yes ManageForeignRoutingPolicyRules=yes");

    // As the finding says; what restarts it is not here.
    String remedy = found.getFirst().text("remedy").orElseThrow();
    assertThat(remedy).endsWith("; systemctl restart systemd-networkd");
    in("sh", "-c", remedy.substring(0, remedy.lastIndexOf(';')));
    stop(networkd);
    plugInRoutes();
    in("rm -r /run/systemd/netif");
    networkd();
    await(() ->
        in("sh", "-c", "cat /run/systemd/netif/links/* || :").contains("ADMIN_STATE=configured\n"));
    assertThat(in("ip route")).contains("10.244.7.0/24");
    assertThat(in("ip rule")).contains("lookup 300");
    assertThat(found("networkd-routes")).isEmpty();
  }

  /** A route and a rule, as a network plugin has them. */
  private void plugInRoutes() throws Exception {
    in("ip route replace 10.244.7.0/24 dev wan0 proto 83");
    in("ip rule add fwmark 5 lookup 300 priority 700");
  }

  private Process networkd() throws Exception {
    return start("networkd", NETWORKD.toString());
  }

  @Test
  void aContainerInPlaceOfAMachineIsFound() throws Exception {
    assertThat(found("virtualisation", machine("another=lxc"))).isEmpty();

    // As LXC starts a container's first process.
    String[] container = machine("container=lxc");
    List<Tree.Mapping> found = found("virtualisation", container);
    assertThat(found).hasSize(1);
    assertThat(found.getFirst().text("text").orElseThrow())
        .isEqualTo("This node is a container (lxc): its kernel is its host's.");
    if (Files.isExecutable(Path.of("/usr/bin/systemd-detect-virt"))) {
      assertThat(in(concat(container, "systemd-detect-virt", "--container"))).isEqualTo("lxc\n");
    }
  }

  /** Processes of their own, of which the first has this in its environment. */
  private static String[] machine(String environment) {
    String words = "unshare --pid --fork --kill-child --mount-proc env -u container";
    return concat(words.split(" "), environment, "sh", "-c", "\"$@\"; exit $?", "first");
  }

  @Test
  void aKernelThatLacksWhatKubeProxyWasToldToUseIsFound() throws Exception {
    Assumptions.assumeTrue(
        Files.exists(CONFIGURATION) && lacks("IP_VS"), "this kernel has IPVS, or hides it");
    Process proxy = proxy("ipvs");
    assertThat(found("kernel-needs"))
        .singleElement()
        .satisfies(finding -> {
          assertThat(finding.text("severity")).contains("error");
          assertThat(finding.text("text").orElseThrow())
              .contains("was built without what kube-proxy's mode ipvs needs: CONFIG_IP_VS");
        });
    stop(proxy);
    proxy("iptables");
    assertThat(found("kernel-needs")).isEmpty();
  }

  private static boolean lacks(String option) throws IOException {
    try (InputStream zipped = Files.newInputStream(CONFIGURATION);
        InputStream text = new GZIPInputStream(zipped)) {
      return new String(text.readAllBytes(), StandardCharsets.UTF_8)
          .contains("# CONFIG_" + option + " is not set\n");
    }
  }

  /** A program of kube-proxy's name and command line that does nothing. */
  private Process proxy(String mode) throws Exception {
    Path program = folder.resolve("kube-proxy");
    if (!Files.exists(program)) {
      Files.copy(Path.of("/bin/sh"), program);
      assertThat(program.toFile().setExecutable(true)).isTrue();
    }
    Process process =
        new ProcessBuilder(
                program.toString(), "-c", "read line", "kube-proxy", "--proxy-mode=" + mode)
            .start();
    started.add(process);
    return process;
  }

  /** What a check finds, run behind these words; it could read all that it reads. */
  private List<Tree.Mapping> found(String check, String... before) throws Exception {
    String printed =
        in(
            concat(
                before,
                SUND.toString(),
                "doctor",
                "--fail-on=never",
                "-o=json",
                "--window=0",
                "--only=" + check));
    Tree.Mapping whole = (Tree.Mapping) JsonTrees.parse(printed);
    assertThat(items(whole, "checks")).as(printed).hasSize(1);
    assertThat(items(whole, "checks").getFirst().text("outcome").orElseThrow())
        .as(printed)
        .isNotEqualTo("unread");
    return items(whole, "findings");
  }

  private static List<Tree.Mapping> items(Tree.Mapping whole, String field) {
    return ((Tree.Sequence) whole.get(field).orElseThrow())
        .items().stream().map(Tree.Mapping.class::cast).toList();
  }

  private static String[] concat(String[] first, String... then) {
    List<String> all = new ArrayList<>(List.of(first));
    all.addAll(List.of(then));
    return all.toArray(String[]::new);
  }

  /** Writes a file of the node. */
  private void write(String file, String text) throws Exception {
    in("sh", "-c", "printf %s \"$1\" >\"$2\"", "sh", text, file);
  }

  private String in(String command) throws Exception {
    return in(command.split(" "));
  }

  /** Runs a command on the node; what it printed. */
  private String in(String... command) throws Exception {
    Path out = folder.resolve("out");
    Path errors = folder.resolve("errors");
    ProcessBuilder builder =
        new ProcessBuilder(onNode(command))
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectOutput(out.toFile())
            .redirectError(errors.toFile());
    builder.environment().put("SUND_BUILD", "never");
    Process process = builder.start();
    assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue())
        .as("%s: %s", List.of(command), Files.readString(errors))
        .isZero();
    return Files.readString(out);
  }

  /** Starts a program on the node; what it says is in a file of this name. */
  private Process start(String said, String... command) throws IOException {
    Process process =
        new ProcessBuilder(onNode(command))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve(said).toFile()))
            .start();
    started.add(process);
    return process;
  }

  private List<String> onNode(String... command) {
    List<String> words =
        new ArrayList<>(List.of("nsenter", "--target=" + keeper.pid(), "--mount", "--net"));
    words.addAll(List.of(command));
    return words;
  }

  private static void stop(Process process) {
    process.destroyForcibly();
    process.onExit().join();
  }

  private static void await(Callable<Boolean> what) throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!what.call()) {
      assertThat(System.nanoTime()).as("after %s", PATIENCE).isLessThan(end);
      Thread.sleep(50);
    }
  }
}
