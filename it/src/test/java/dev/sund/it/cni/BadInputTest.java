package dev.sund.it.cni;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Answer;
import dev.sund.agent.local.Json;
import dev.sund.agent.local.LocalClient;
import dev.sund.it.agent.AgentScene;
import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.kernel.NetNs;
import dev.sund.model.PodKey;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever is wrong with an ADD, it is said with its remedy and nothing half done stays. The words
 * are part of the product: run with {@code -Dsund.golden=write} to write them anew, and read the
 * difference.
 */
@Tag("netns")
@Timeout(300)
class BadInputTest {
  private static final int FAILURES = Boolean.getBoolean("sund.long") ? 1_000 : 100;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** Where in a request its configuration begins; a malformed one is put in its place. */
  private static final String CONFIG = "\"config\":";

  private static final Path GOLDEN =
      Path.of(System.getProperty("sund.root", ".."))
          .resolve("it/src/test/resources/dev/sund/it/cni/bad-input.txt");

  @TempDir private Path directory;
  private final long seed = Long.getLong("sund.seed", System.nanoTime());
  private final Random random = new Random(seed);

  /** One way to be wrong: what it changes in a good request, and what is said. */
  private record Wrong(int code, String words, Change change) {}

  @FunctionalInterface
  private interface Change {
    void make(Map<String, Object> request, Map<String, Object> config, Map<String, Object> runtime);
  }

  @Test
  void everyFailureIsSaidAndLeavesTheKernelAsItWas() throws Exception {
    System.out.println("seed " + seed);
    try (AgentScene scene = AgentScene.build(directory)) {
      scene.startAgent(1);
      scene.awaitReady(1, PATIENCE);
      PodHandle holder = scene.addPod("holder", 1);
      PodKey key = new PodKey("bad", "input");
      NetNs netns = scene.topology().createPod(key);
      scene.run(netns, "ip", "link", "add", "taken", "type", "bridge");
      List<Wrong> ways = ways(scene, holder);
      String before = kernel(scene, netns);
      StringBuilder said = new StringBuilder();
      for (int i = 0; i < FAILURES; i++) {
        Wrong wrong = ways.get(i < ways.size() ? i : random.nextInt(ways.size()));
        Map<String, Object> runtime = new LinkedHashMap<>();
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("cniVersion", "1.0.0");
        config.put("name", "pods");
        config.put("type", "sund-cni");
        config.put("runtimeConfig", runtime);
        Map<String, Object> request =
            LocalClient.cniRequest(
                "ADD", "bad" + i, netns.path().toString(), "eth0", "", List.of());
        request.put("config", config);
        wrong.change.make(request, config, runtime);
        Answer answer = scene.client(1).ask(text(request));
        if (i < ways.size()) {
          said.append(explained(wrong, answer));
        }
        assertThat(answer.exitCode()).as("%s\n%s", Json.write(request), answer.json()).isEqualTo(1);
        assertThat(answer.json())
            .contains("\"code\":" + wrong.code + ",")
            .contains(wrong.words)
            .containsPattern("\"details\":\".+\\.\"");
        assertThat(kernel(scene, netns)).as("after %s", answer.json()).isEqualTo(before);
      }
      if (System.getProperty("sund.golden", "").equals("write")) {
        Files.createDirectories(GOLDEN.getParent());
        Files.writeString(GOLDEN, said);
      }
      assertThat(said.toString()).isEqualTo(Files.readString(GOLDEN));
      Answer good =
          scene
              .client(1)
              .ask(
                  LocalClient.cniRequest(
                      "ADD", "good", netns.path().toString(), "eth0", "", List.of("10.244.1.99")));
      assertThat(good.exitCode()).as(good.json()).isZero();
    }
  }

  /** The request as the plugin sends it: its configuration is the text of the conflist. */
  private static String text(Map<String, Object> request) {
    Object config = request.remove("config");
    String text = config instanceof String malformed ? malformed : Json.write(config);
    return "{" + CONFIG + text + "," + Json.write(request).substring(1);
  }

  /** What is wrong and what is said, without the names that differ from run to run. */
  private static String explained(Wrong wrong, Answer answer) throws Exception {
    Map<String, Object> error = Json.object(answer.json().getBytes(StandardCharsets.UTF_8));
    String text =
        "%s\n  code %s, cniVersion %s\n  %s\n  %s\n\n"
            .formatted(
                wrong.words,
                error.get("code"),
                error.get("cniVersion"),
                error.get("msg"),
                error.get("details"));
    return text.replaceAll("sundt-[0-9a-z]+-", "sundt-");
  }

  private static List<Wrong> ways(AgentScene scene, PodHandle holder) {
    List<Wrong> ways = new ArrayList<>();
    ways.add(request(4, "which the environment lacks", "containerId", ""));
    ways.add(request(4, "which the environment lacks", "netns", ""));
    ways.add(request(4, "which the environment lacks", "ifname", ""));
    ways.add(request(4, "which the environment lacks", "path", ""));
    ways.add(request(4, "is not a container id", "containerId", "../x"));
    ways.add(request(4, "is not the name of an interface", "ifname", "lo"));
    ways.add(request(4, "is not the name of an interface", "ifname", "sixteen-letters-"));
    ways.add(request(4, "does not exist", "netns", "/run/netns/sundt-gone"));
    ways.add(request(4, "is the node's own", "netns", scene.node(1).path().toString()));
    ways.add(request(4, "is not NAME=VALUE", "args", "IgnoreUnknown"));
    ways.add(request(4, "CNI_ARGS: ", "args", "MAC=ten"));
    ways.add(request(100, "has a device taken already", "ifname", "taken"));
    ways.add(request(100, "pod-link", "netns", "/etc/hostname"));
    ways.add(request(7, "there is no plugin 'dhcp'", "plugin", "dhcp"));
    ways.add(
        new Wrong(
            4,
            "CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, CNI_PATH",
            (request, _, _) ->
                List.of("containerId", "netns", "ifname", "path")
                    .forEach(name -> request.put(name, ""))));
    ways.add(request(6, "line 3, column", "config", "{\n\"name\": \"x\",\n\"type\" 3}"));
    ways.add(request(6, "line 2, column", "config", "{\"name\": \"x\",\n"));
    ways.add(bridge(999, "mtu 60", "mtu", 60L));
    ways.add(bridge(2, "mtuu", "mtuu", 1400L));
    ways.add(
        bridge(
            999, "10.77.0.0/33", "ipam", Map.of("type", "host-local", "subnet", "10.77.0.0/33")));
    ways.add(config(1, "cniVersion '2.0.0'", "cniVersion", "2.0.0"));
    ways.add(config(7, "has no name", "name", ""));
    ways.add(config(7, "name 'a/b'", "name", "a/b"));
    ways.add(config(2, "key 'mtuu' with value 9", "mtuu", 9L));
    ways.add(config(6, "runtimeConfig must be an object", "runtimeConfig", "none"));
    ways.add(config(6, "prevResult:", "prevResult", Map.of("ips", "none")));
    ways.add(runtime(7, "'10.1.0.5/33' is not an address", "ips", List.of("10.1.0.5/33")));
    ways.add(runtime(7, "two addresses", "ips", List.of("10.244.1.9", "10.244.1.8")));
    ways.add(
        runtime(
            11,
            holder.v4() + " is asked for, but pod shop/holder of this node has it.",
            "ips",
            List.of(holder.v4().toString())));
    ways.add(runtime(7, "no address of one interface", "mac", "01:00:00:00:00:01"));
    ways.add(runtime(7, "runtimeConfig.mac", "mac", "here"));
    ways.add(runtime(2, "runtimeConfig.dns is not", "dns", Map.of()));
    ways.add(runtime(101, "10.245.0.9", "ips", List.of("10.245.0.9")));
    ways.add(
        runtime(
            7,
            "portMappings[0]",
            "portMappings",
            List.of(Map.of("hostPort", 0L, "containerPort", 80L, "protocol", "tcp"))));
    return ways;
  }

  private static Wrong request(int code, String words, String field, Object value) {
    return new Wrong(code, words, (request, _, _) -> request.put(field, value));
  }

  private static Wrong config(int code, String words, String field, Object value) {
    return new Wrong(code, words, (_, config, _) -> config.put(field, value));
  }

  private static Wrong bridge(int code, String words, String field, Object value) {
    return new Wrong(
        code,
        words,
        (request, config, _) -> {
          request.put("plugin", "bridge");
          config.put("type", "bridge");
          config.remove("runtimeConfig");
          config.put("ipam", Map.of("type", "host-local", "subnet", "10.77.0.0/24"));
          config.put(field, value);
        });
  }

  private static Wrong runtime(int code, String words, String field, Object value) {
    return new Wrong(code, words, (_, _, runtime) -> runtime.put(field, value));
  }

  /** What an independent reader sees of the node, the pod and the state folder. */
  private static String kernel(AgentScene scene, NetNs netns) throws Exception {
    return scene.run(
            scene.node(1),
            "sh",
            "-c",
            "ip -o link show type veth; ip route show table all; ip -6 route show table all;"
                + " ip neigh show nud permanent; nft list ruleset; ls "
                + scene.stateDir(1).resolve("attachments"))
        + scene.run(netns, "sh", "-c", "ip -o addr; ip route; ip -6 route");
  }
}
