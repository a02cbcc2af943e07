package dev.sund.it.cni;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.cni.CniVersion;
import dev.sund.agent.local.Json;
import dev.sund.it.agent.AgentScene;
import dev.sund.it.cni.Shim.Ended;
import dev.sund.kernel.NetNs;
import dev.sund.model.PodKey;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The pods' own network, called through the plugin as a runtime would, by hand. */
@Tag("netns")
@Timeout(120)
class CniByHandTest {
  private static final boolean LONG = Boolean.getBoolean("sund.long");
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir private static Path directory;
  private static AgentScene scene;
  private static Shim shim;
  private static int sequence;

  private String container = "";
  private PodKey pod = new PodKey("-", "none");
  private NetNs netns = NetNs.ofProcess();
  private String clean = "";

  @BeforeAll
  static void build() throws Exception {
    scene = AgentScene.build(directory);
    shim = new Shim(Shim.build(directory.resolve("bin/sund-cni")), scene.runDir(1));
    scene.startAgent(1);
    scene.awaitReady(1, PATIENCE);
  }

  @AfterAll
  static void remove() throws Exception {
    scene.close();
  }

  @BeforeEach
  void sandbox() throws Exception {
    sequence++;
    container = "c" + sequence;
    pod = new PodKey("hand", container);
    netns = scene.topology().createPod(pod);
    clean = kernel();
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    assertThat(call("DEL", "eth0", config("1.0.0"))).isEqualTo(new Ended(0, ""));
    assertThat(kernel()).isEqualTo(clean);
    scene.topology().removePod(pod);
  }

  @Test
  void everyVersionGetsItsOwnFormOfResult() throws Exception { // C7
    for (CniVersion version : CniVersion.values()) {
      Map<String, Object> config = config(version.text());
      Map<String, Object> result = add(config);
      assertThat(result).containsEntry("cniVersion", version.text());
      if (version.atLeast(CniVersion.V0_3_0)) {
        assertThat(result).containsOnlyKeys("cniVersion", "interfaces", "ips", "routes", "dns");
        assertThat(Json.children(result, "ips"))
            .allMatch(ip -> ip.containsKey("version") != version.atLeast(CniVersion.V1_0_0))
            .allMatch(ip -> ip.get("interface").equals(1L));
      } else {
        assertThat(result).containsOnlyKeys("cniVersion", "ip4", "ip6", "dns");
        assertThat(Json.child(result, "ip4")).containsEntry("ip", v4() + "/32");
      }
      if (version.atLeast(CniVersion.V0_4_0)) {
        config.put("prevResult", result);
        assertThat(call("CHECK", "eth0", config)).isEqualTo(new Ended(0, ""));
      } else {
        assertRefused(call("CHECK", "eth0", config), 1, "has no CHECK");
      }
      assertThat(call("DEL", "eth0", config)).isEqualTo(new Ended(0, ""));
    }
  }

  @Test
  void theResultIsWhatTheKernelHas() throws Exception {
    Map<String, Object> config = config("1.0.0");
    runtime(config).put("mac", "02:42:ac:11:00:02");
    Map<String, Object> result = add(config);
    Map<String, Object> inside = Json.children(result, "interfaces").get(1);
    assertThat(inside)
        .containsEntry("name", "eth0")
        .containsEntry("mac", "02:42:ac:11:00:02")
        .containsEntry("sandbox", netns.path().toString());
    assertThat(scene.run(netns, "ip", "-o", "link", "show", "eth0")).contains("02:42:ac:11:00:02");
    assertThat(scene.run(netns, "ip", "-o", "addr", "show", "eth0")).contains(v4() + "/32", v6());
    assertThat(scene.run(netns, "ip", "route")).contains("default via 169.254.1.1 dev eth0");
    String device = Json.text(Json.children(result, "interfaces").getFirst(), "name");
    assertThat(scene.run(scene.node(1), "ip", "route", "get", v4())).contains("dev " + device);
  }

  @Test
  void anInterfaceThatExistsIsAnError() throws Exception { // C1
    add(config("1.0.0"));
    String before = kernel();
    assertRefused(call("ADD", "eth0", config("1.0.0")), 103, "CNI_IFNAME 'eth0'");
    assertThat(kernel()).as("the network that was there").isEqualTo(before);
    assertThat(call("DEL", "eth0", config("1.0.0")).exitCode()).isZero();

    scene.run(netns, "ip", "link", "add", "eth0", "type", "bridge");
    assertRefused(call("ADD", "eth0", config("1.0.0")), 100, "has a device eth0 already");
    scene.run(netns, "ip", "link", "del", "eth0");
    assertThat(kernel()).isEqualTo(clean);
    add(config("1.0.0"));
  }

  @Test
  void afterDelTheNameIsFreeAtOnce() throws Exception {
    for (int i = 0; i < (LONG ? 1_000 : 100); i++) {
      Ended added = call("ADD", "eth0", config("1.0.0"));
      assertThat(added.exitCode()).as("round %d: %s", i, added.output()).isZero();
      assertThat(call("DEL", "eth0", config("1.0.0"))).isEqualTo(new Ended(0, ""));
    }
  }

  @Test
  void delOfWhatIsNotThereIsDone() throws Exception { // C2
    assertThat(call("DEL", "eth0", config("1.0.0"))).isEqualTo(new Ended(0, ""));
    add(config("1.0.0"));
    Map<String, String> noNamespace = Shim.environment("DEL", container, "", "eth0");
    assertThat(shim.call(noNamespace, Json.write(config("0.4.0")))).isEqualTo(new Ended(0, ""));
    assertThat(shim.call(noNamespace, Json.write(config("0.4.0")))).isEqualTo(new Ended(0, ""));
    assertThat(kernel()).isEqualTo(clean);
    add(config("1.0.0"));
    Map<String, Object> broken = config("1.0.0");
    broken.put("prevResult", Map.of("ips", "none"));
    broken.put("spelt-wrongly", true);
    assertThat(
            shim.call(
                Shim.environment("DEL", container, "/run/netns/gone", "eth0"), Json.write(broken)))
        .isEqualTo(new Ended(0, ""));
  }

  @Test
  void checkTellsWhatDiffers() throws Exception { // C4
    Map<String, Object> config = config("1.0.0");
    assertRefused(call("CHECK", "eth0", config), 7, "prevResult");
    Map<String, Object> result = add(config);
    config.put("prevResult", result);
    assertThat(call("CHECK", "eth0", config)).isEqualTo(new Ended(0, ""));

    Map<String, Object> other = config("1.0.0");
    other.put("prevResult", Map.of("ips", List.of(Map.of("address", "10.9.9.9/32"))));
    assertRefused(call("CHECK", "eth0", other), 102, "which prevResult does not list");

    // What was taken away is put back, or said: after CHECK it is there.
    scene.run(netns, "ip", "link", "del", "eth0");
    Ended checked = call("CHECK", "eth0", config);
    assertThat(checked).as(checked.output()).isEqualTo(new Ended(0, ""));
    assertThat(scene.run(netns, "ip", "route")).contains("default via 169.254.1.1 dev eth0");

    assertThat(call("DEL", "eth0", config).exitCode()).isZero();
    assertRefused(call("CHECK", "eth0", config), 3, "is not attached");
  }

  @Test
  void theCapabilityBandwidthLimitsAPod() throws Exception {
    Map<String, Object> config = config("1.1.0");
    runtime(config)
        .put(
            "bandwidth",
            Map.of(
                "ingressRate", 8_000_000,
                "ingressBurst", 800_000,
                "egressRate", 16_000_000,
                "egressBurst", 1_600_000));
    Map<String, Object> result = add(config);
    List<Map<String, Object>> interfaces = Json.children(result, "interfaces");
    assertThat(interfaces).hasSize(3);
    String device = Json.text(interfaces.getFirst(), "name");
    String queue = Json.text(interfaces.getLast(), "name");
    assertThat(queue).startsWith("bwp");
    NetNs node = scene.node(1);
    assertThat(scene.run(node, "tc", "qdisc", "show", "dev", device))
        .contains("tbf", "rate 8Mbit", "qdisc ingress");
    assertThat(scene.run(node, "tc", "qdisc", "show", "dev", queue)).contains("rate 16Mbit");
    config.put("prevResult", result);
    assertThat(call("CHECK", "eth0", config)).isEqualTo(new Ended(0, ""));

    // Somebody deletes the pod's link: it comes back as it was, limits included.
    String limits = limits(node, device, queue);
    scene.run(node, "ip", "link", "del", device);
    scene.await("the limits are back", PATIENCE, () -> limits(node, device, queue).equals(limits));
    assertThat(call("CHECK", "eth0", config)).isEqualTo(new Ended(0, ""));
    scene.run(node, "tc", "qdisc", "del", "dev", queue, "root");
    assertRefused(call("CHECK", "eth0", config), 102, queue); // C4

    // An agent that made nothing of it, asked without a word about limits, leaves nothing of it.
    scene.kill(1);
    scene.startAgent(1);
    scene.awaitReady(1, PATIENCE);
    assertThat(call("DEL", "eth0", config("1.1.0"))).isEqualTo(new Ended(0, ""));
    assertThat(scene.run(node, "ip", "-o", "link", "show", "type", "ifb")).isEmpty();

    Map<String, Object> half = config("1.1.0");
    runtime(half).put("bandwidth", Map.of("ingressRate", 8_000_000));
    assertRefused(call("ADD", "eth0", half), 7, "ingressBurst must be set too");
    assertThat(kernel()).isEqualTo(clean);

    // What stands in the way of the limits: nothing of the pod stays (C3).
    scene.run(node, "ip", "link", "add", queue, "type", "bridge");
    Map<String, Object> again = config("1.1.0");
    runtime(again).put("bandwidth", runtime(config).get("bandwidth"));
    assertRefused(call("ADD", "eth0", again), 999, queue);
    scene.run(node, "ip", "link", "del", queue);
    assertThat(kernel()).isEqualTo(clean);
  }

  /** What limits a pod, as an independent reader sees it; devices' numbers left out. */
  private String limits(NetNs node, String device, String queue) throws Exception {
    return scene
        .run(
            node,
            "sh",
            "-c",
            "for d in %s %s; do tc qdisc show dev $d; tc filter show dev $d ingress; done 2>&1; true"
                .formatted(device, queue))
        .replaceAll("qdisc tbf [0-9a-f]+:|refcnt [0-9]+|index [0-9]+", "");
  }

  @Test
  void gcRemovesAllButTheLiving() throws Exception { // C5
    add(config("1.1.0"));
    PodKey second = new PodKey("hand", container + "b");
    NetNs place = scene.topology().createPod(second);
    Map<String, Object> config = config("1.1.0");
    runtime(config).put("ips", List.of("10.244.1.251"));
    Map<String, String> environment =
        Shim.environment("ADD", container + "b", place.path().toString(), "eth0");
    Ended added = shim.call(environment, Json.write(config));
    assertThat(added.exitCode()).as(added.output()).isZero();

    Map<String, Object> gc = config("1.1.0");
    assertRefused(call("GC", "", gc), 7, "valid-attachments is missing");
    gc.put(
        "cni.dev/valid-attachments", List.of(Map.of("containerID", container, "ifname", "eth0")));
    Map<String, Object> ofAnother = new LinkedHashMap<>(gc);
    ofAnother.put("name", "another");
    assertThat(call("GC", "", ofAnother)).isEqualTo(new Ended(0, ""));
    assertThat(scene.run(place, "ip", "-o", "link")).contains("eth0");
    assertThat(call("GC", "", gc)).isEqualTo(new Ended(0, ""));
    assertThat(scene.run(place, "ip", "-o", "link")).doesNotContain("eth0");
    assertThat(scene.run(netns, "ip", "-o", "link")).contains("eth0");
    assertRefused(call("GC", "", config("1.0.0")), 1, "has no GC");
    scene.topology().removePod(second);
  }

  @Test
  void statusSaysWhetherAddWouldBeServed() throws Exception { // C6
    assertThat(call("STATUS", "", config("1.1.0"))).isEqualTo(new Ended(0, ""));
    assertRefused(call("STATUS", "", config("1.0.0")), 1, "has no STATUS");
    Map<String, Object> wrong = config("1.1.0");
    wrong.put("ipMask", true);
    assertRefused(call("STATUS", "", wrong), 2, "key 'ipMask' with value true is not known");
  }

  @Test
  void whatTheEnvironmentLacksIsListed() throws Exception { // C9
    Map<String, String> environment = Map.of("CNI_COMMAND", "ADD", "CNI_IFNAME", "eth0");
    assertRefused(
        shim.call(environment, Json.write(config("1.0.0"))),
        4,
        "ADD needs CNI_CONTAINERID, CNI_NETNS, CNI_PATH, which the environment lacks.");
    Map<String, String> ofNode =
        Shim.environment("ADD", container, scene.node(1).path().toString(), "eth9");
    assertRefused(shim.call(ofNode, Json.write(config("1.0.0"))), 4, "is the node's own namespace");
    assertRefused(
        shim.call(
            Shim.environment("ADD", container, "/run/netns/sundt-gone", "eth0"),
            Json.write(config("1.0.0"))),
        4,
        "CNI_NETNS '/run/netns/sundt-gone' does not exist");
  }

  private Map<String, Object> add(Map<String, Object> config) throws Exception {
    Ended ended = call("ADD", "eth0", config);
    assertThat(ended.exitCode()).as(ended.output()).isZero();
    return Json.object(ended.output().getBytes(UTF_8));
  }

  private Ended call(String command, String interfaceName, Map<String, Object> config)
      throws Exception {
    return shim.call(
        Shim.environment(command, container, netns.path().toString(), interfaceName),
        Json.write(config));
  }

  private static void assertRefused(Ended ended, int code, String words) {
    assertThat(ended.exitCode()).as(ended.output()).isEqualTo(1);
    assertThat(ended.output())
        .contains("\"code\":" + code + ",")
        .contains(words)
        .containsPattern("\"details\":\".+\\.\"");
  }

  private String v4() {
    return "10.244.1." + (10 + sequence);
  }

  private String v6() {
    return "fd00:10:244:1::" + Integer.toHexString(10 + sequence);
  }

  private Map<String, Object> config(String version) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("cniVersion", version);
    config.put("name", "pods");
    config.put("type", "sund-cni");
    config.put("capabilities", Map.of("ips", true, "mac", true));
    Map<String, Object> runtime = new LinkedHashMap<>();
    runtime.put("ips", List.of(v4(), v6() + "/128"));
    config.put("runtimeConfig", runtime);
    return config;
  }

  private static Map<String, Object> runtime(Map<String, Object> config) {
    return Json.child(config, "runtimeConfig");
  }

  /** What an independent reader sees of the node and the pod. */
  private String kernel() throws Exception {
    // Gone links wait in their group for a moment.
    scene.await(
        "gone links are deleted",
        PATIENCE,
        () -> scene.run(scene.node(1), "sh", "-c", "ip -o link show group " + DOOMED).isEmpty());
    return scene.run(
            scene.node(1),
            "sh",
            "-c",
            "ip -o link show type veth; ip -o link show type ifb; ip route show table all; ip -6 route show table all;"
                + " ip neigh show nud permanent; nft list ruleset")
        + scene.run(netns, "sh", "-c", "ip -o addr; ip route; ip -6 route");
  }

  private static final long DOOMED = Integer.toUnsignedLong(dev.sund.model.Marks.GROUP_DOOMED);
}
