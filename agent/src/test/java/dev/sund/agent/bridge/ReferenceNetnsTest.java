package dev.sund.agent.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Json;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.route.RouteBatch;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.kernel.testing.TestNetns;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Bridge mode beside the reference plugins, each on a node of its own, with the same calls: the
 * same results field by field, the same error codes, the same state of the kernel, the same
 * addresses.
 */
@Tag("netns")
@Timeout(120)
class ReferenceNetnsTest {
  private static final Pattern BRIDGE = Pattern.compile("\"bridge\":\"(\\w+)\"");
  private static final Pattern MAC = Pattern.compile("([0-9a-f]{2}:){5}[0-9a-f]{2}");
  private static final int CONFIGURATIONS = Boolean.getBoolean("sund.long") ? 120 : 12;

  private final TestNetns net = TestNetns.open();
  private NetNs theirs;
  private BridgeBed ours;
  private int pods;
  @TempDir private Path directory;

  /** A container's namespace beside each node. */
  private record Twin(String id, NetNs theirs, NetNs ours) {}

  @BeforeEach
  void open() throws KernelException {
    assertThat(ReferencePlugins.areThere())
        .as("install the package containernetworking-plugins: ./sund test does")
        .isTrue();
    theirs = net.create("theirs");
    ours = new BridgeBed(net, "ours", directory.resolve("state"));
  }

  @AfterEach
  void close() {
    ours.close();
    net.close();
  }

  @Test
  void theArticlesConfigurationIsServedAsByTheReference() throws Exception { // C11
    String config =
        config(
            "dbnet",
            "0.4.0",
            """
            "bridge":"cni0","isGateway":true,"hairpinMode":true\
            """,
            """
            "subnet":"10.1.0.0/16","routes":[{"dst":"0.0.0.0/0"}]\
            """);
    Twin one = twin();
    Twin two = twin();

    same("bridge", "ADD", one, config, "");
    same("bridge", "ADD", two, config, "");
    same("bridge", "ADD", two, config, "");
    sameKernel(one, two);
    assertThat(sameFiles()).containsKeys("dbnet/10.1.0.2", "dbnet/10.1.0.3", "dbnet/lock");
    same("bridge", "DEL", one, config, "");
    same("bridge", "DEL", one, config, "");
    ours.reap();
    sameKernel(one, two);
    assertThat(sameFiles()).doesNotContainKey("dbnet/10.1.0.2");
    same("bridge", "ADD", one, config, "");
    sameKernel(one, two);
    sameFiles();
  }

  @Test
  void dualStackWithPromiscuousModeAndRoutesIsServedAsByTheReference() throws KernelException {
    String config =
        config(
            "dual",
            "1.0.0",
            """
            "bridge":"br6","isDefaultGateway":true,"promiscMode":true,"mtu":1400\
            """,
            """
            "ranges":[[{"subnet":"10.2.0.0/24","rangeStart":"10.2.0.10","rangeEnd":"10.2.0.12"}],
             [{"subnet":"fd00:2::/64","gateway":"fd00:2::ff"}]],
            "routes":[{"dst":"192.0.2.0/24","gw":"10.2.0.5"},{"dst":"2001:db8::/32"},
             {"dst":"2001:db8:1::/48","gw":"fd00:2::5"},{"dst":"2001:db8:1::/48","gw":"fd00:2::6"}]\
            """);
    Twin one = twin();

    same("bridge", "ADD", one, config, "IgnoreUnknown=1;K8S_POD_NAME=web");
    sameKernel(one);
    same("bridge", "ADD", twin(), config, "IP=10.2.0.12");
    same("bridge", "ADD", twin(), config, "IP=10.2.0.12");
    same("bridge", "ADD", twin(), config, "K8S_POD_NAME=web");
    same("bridge", "ADD", twin(), config, "MAC=02:42:ac:11:00:02;IgnoreUnknown=true");
    same("bridge", "ADD", twin(), config, "");
  }

  @Test
  void whatTheReferenceRefusesIsRefusedWithItsCode() throws KernelException {
    String bridge = "\"bridge\":\"brx\",\"isGateway\":true";
    String range = "\"subnet\":\"10.3.0.0/24\"";
    List<String> wrong =
        List.of(
            config("n", "0.4.0", bridge + ",\"hairpinMode\":true,\"promiscMode\":true", range),
            config("n", "0.4.0", bridge + ",\"mtu\":40", range),
            config("n", "0.4.0", bridge + ",\"mtu\":\"big\"", range),
            config("n", "0.4.0", "\"isGateway\":\"yes\"", range),
            config("n", "0.4.0", "\"bridge\":\"a bridge\"", range),
            config("n", "0.4.0", "\"bridge\":\"lo\"", range),
            config("n", "0.4.0", bridge, "\"subnet\":\"10.3.0.1/24\""),
            config("n", "0.4.0", bridge, "\"subnet\":\"10.3.0.0/31\""),
            config("n", "0.4.0", bridge, "\"subnet\":\"10.3.0.0\""),
            config("n", "0.4.0", bridge, "\"subnet\":\"\""),
            config("n", "0.4.0", bridge, "\"ranges\":[]"),
            config("n", "0.4.0", bridge, "\"ranges\":[[]]"),
            config("n", "0.4.0", bridge, range + ",\"rangeStart\":\"10.4.0.1\""),
            config("n", "0.4.0", bridge, range + ",\"rangeStart\":\"fd00::1\""),
            config(
                "n",
                "0.4.0",
                bridge,
                range + ",\"rangeStart\":\"10.3.0.9\",\"rangeEnd\":\"10.3.0.8\""),
            config("n", "0.4.0", bridge, range + ",\"ranges\":[[{\"subnet\":\"10.3.0.0/25\"}]]"),
            config(
                "n",
                "0.4.0",
                bridge,
                "\"ranges\":[[{\"subnet\":\"10.3.0.0/24\"},{\"subnet\":\"fd00::/64\"}]]"),
            config("n", "0.4.0", bridge, range + ",\"routes\":[{\"dst\":\"10.0.0.0\"}]"),
            config("n", "0.4.0", bridge, range + ",\"routes\":[{\"dst\":\"192.0.2.7/24\"}]"),
            config(
                "n",
                "0.4.0",
                bridge,
                range + ",\"routes\":[{\"dst\":\"192.0.2.0/24\",\"gw\":\"10.9.0.5\"}]"),
            config(
                "n",
                "0.4.0",
                bridge + ",\"isDefaultGateway\":true",
                range + ",\"routes\":[{\"dst\":\"0.0.0.0/0\"}]"),
            config("n", "0.4.0", bridge, range + ",\"resolvConf\":\"/nonexistent\""),
            config("n", "3.0.0", bridge, range),
            config("", "0.4.0", bridge, range),
            config("n/m", "0.4.0", bridge, range),
            config(
                "n",
                "0.2.0",
                bridge,
                "\"ranges\":[[{\"subnet\":\"10.3.0.0/24\"}],[{\"subnet\":\"10.4.0.0/24\"}]]"));
    List<String> differing = new ArrayList<>();
    for (String config : wrong) {
      Twin twin = twin();
      Outcome reference =
          ReferencePlugins.call(theirs, call("bridge", "ADD", twin, true, config, ""));
      Outcome own = ours.call(call("bridge", "ADD", twin, false, config, ""));
      assertThat(reference.exit()).as(config).isEqualTo(1);
      if (own.code() != reference.code()) {
        differing.add(reference.json() + "\n  " + own.json() + "\n  " + config);
      }
      assertThat(KernelView.of(twin.ours()))
          .as("nothing half made stays in the container")
          .noneMatch(line -> line.startsWith("eth0"));
    }
    assertThat(differing).isEmpty();
    assertThat(ours.containers()).isZero();
  }

  @Test
  void generatedConfigurationsAreServedAsByTheReference() throws KernelException {
    long seed = Long.getLong("sund.seed", System.nanoTime());
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    for (int i = 0; i < CONFIGURATIONS; i++) {
      String bridge = "br" + random.nextInt(3);
      String config = new RandomConfig(random, "net" + i, bridge).text();
      List<Twin> twins = List.of(twin(), twin());
      boolean made = true;
      for (Twin twin : twins) {
        made &= same("bridge", "ADD", twin, config, "");
      }
      if (made) { // after a failure the reference leaves a half made link until DEL
        sameKernel(twins.toArray(Twin[]::new));
      }
      for (Twin twin : twins) {
        same("bridge", "DEL", twin, config, "");
      }
      ours.reap();
      if (!made) { // a refused ADD makes no bridge; the reference leaves one, even after DEL
        Matcher named = BRIDGE.matcher(config);
        String left = named.find() ? named.group(1) : "cni0";
        removeBridge(ours.node, left);
        removeBridge(theirs, left);
      }
      sameKernel();
    }
  }

  private static void removeBridge(NetNs node, String bridge) throws KernelException {
    try (RouteSocket kernel = RouteSocket.open(node)) {
      for (var outcome : kernel.apply(new RouteBatch().deleteLink(bridge))) {
        outcome.orThrow(); // also where there is none
      }
    }
  }

  // What is the same.

  private boolean same(String plugin, String command, Twin twin, String config, String args) {
    Outcome reference =
        ReferencePlugins.call(theirs, call(plugin, command, twin, true, config, args));
    Outcome own = ours.call(call(plugin, command, twin, false, config, args));
    if (String.valueOf(reference.json().get("msg")).contains("could not set bridge's mac")) {
      return false; // its own fault: it writes back an address that it read before the link was
      // made
    }
    String what = command + " " + twin.id() + " " + config + "\n" + reference + "\n" + own;
    assertThat(own.exit()).as(what).isEqualTo(reference.exit());
    if (reference.exit() == 0) {
      assertThat(comparable(own.json(), twin.ours()))
          .as(what)
          .isEqualTo(comparable(reference.json(), twin.theirs()));
    } else {
      assertThat(own.code()).as(what).isEqualTo(reference.code());
    }
    return reference.exit() == 0;
  }

  /** The addresses' files, each with its content: who has it, and which was given last (C11). */
  private Map<String, String> sameFiles() throws IOException {
    Map<String, String> own = files(directory.resolve("ours"));
    assertThat(own).isEqualTo(files(directory.resolve("theirs")));
    return own;
  }

  private static Map<String, String> files(Path folder) throws IOException {
    Map<String, String> found = new TreeMap<>();
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        found.put(folder.relativize(file).toString(), Files.readString(file));
      }
    }
    return found;
  }

  private void sameKernel(Twin... twins) throws KernelException {
    for (Twin twin : twins) {
      sameKernel(twin.ours(), twin.theirs());
    }
    sameKernel(ours.node, theirs);
  }

  /** The kernel tells of carriers a moment later: what differs must go on to differ. */
  private static void sameKernel(NetNs own, NetNs reference) throws KernelException {
    for (int i = 0; i < 10; i++) {
      if (KernelView.of(own).equals(KernelView.of(reference))) {
        return;
      }
    }
    assertThat(KernelView.of(own)).isEqualTo(KernelView.of(reference));
  }

  /** The result's text without what is random: hardware addresses, names of links' ends. */
  private static String comparable(Map<String, Object> result, NetNs sandbox) {
    Map<String, Object> copy = new LinkedHashMap<>(result);
    if (copy.get("interfaces") instanceof List<?> interfaces && interfaces.size() == 3) {
      List<Object> named = new ArrayList<>(interfaces);
      named.set(1, "host end with keys " + ((Map<?, ?>) interfaces.get(1)).keySet());
      copy.put("interfaces", named);
    }
    return MAC.matcher(Json.write(copy))
        .replaceAll("MAC")
        .replace(sandbox.path().toString(), "SANDBOX");
  }

  // What is called.

  private Call call(
      String plugin, String command, Twin twin, boolean reference, String config, String args) {
    Path data = directory.resolve(reference ? "theirs" : "ours");
    return new Call(
        plugin,
        command,
        twin.id(),
        "eth0",
        (reference ? twin.theirs() : twin.ours()).path().toString(),
        args,
        config.replace("DATADIR", data.toString()));
  }

  private Twin twin() {
    pods++;
    return new Twin("c" + pods, net.create("t" + pods), net.create("o" + pods));
  }

  private static String config(String name, String version, String bridge, String ipam) {
    return """
    {"cniVersion":"%s","name":"%s","type":"bridge",%s,
     "ipam":{"type":"host-local","dataDir":"DATADIR",%s}}\
    """
        .formatted(version, name, bridge, ipam);
  }
}
