package dev.sund.it.cni;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.cni.CniVersion;
import dev.sund.agent.local.Answer;
import dev.sund.agent.local.AttachServer;
import dev.sund.agent.local.Json;
import dev.sund.agent.local.LocalCalls;
import dev.sund.agent.log.LogLevel;
import dev.sund.agent.log.LogSink;
import dev.sund.it.cni.Shim.Ended;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The plugin in C, against a server that stands in for the agent. */
@Timeout(180)
class ShimTest {
  private static final String CONFIG =
      "{\"cniVersion\": \"0.4.0\", \"name\": \"pods\", \"type\": \"sund-cni\"}";

  @TempDir private static Path built;
  private static Path program;
  private static Path impatient;
  private static Path hasty;

  @TempDir private Path dir;
  private final AtomicReference<Map<String, Object>> asked = new AtomicReference<>(Map.of());
  private volatile Answer answer = new Answer(0, "{\"cniVersion\":\"0.4.0\"}");
  private AttachServer server;
  private Shim shim;

  @BeforeAll
  static void build() throws Exception {
    program = Shim.build(built.resolve("sund-cni"));
    impatient = Shim.build(built.resolve("impatient"), "-DAGENT_MILLIS=200");
    hasty = Shim.build(built.resolve("hasty"), "-DINPUT_MILLIS=200");
  }

  @BeforeEach
  void serve() throws IOException {
    LocalCalls calls =
        new LocalCalls() {
          @Override
          public Answer cni(Map<String, Object> request) {
            asked.set(request);
            return answer;
          }

          @Override
          public Answer ipam(Map<String, Object> request) {
            return Answer.DONE;
          }

          @Override
          public Map<String, Object> status() {
            return Map.of();
          }

          @Override
          public Answer service(Map<String, Object> request) {
            return Answer.DONE;
          }

          @Override
          public Answer trace(Map<String, Object> request) {
            return Answer.DONE;
          }

          @Override
          public Answer record(Map<String, Object> request) {
            return Answer.DONE;
          }

          @Override
          public boolean logLevel(String part, String level) {
            return false;
          }
        };
    LogSink sink =
        new LogSink(_ -> {}, InstantSource.system(), System::nanoTime, "", LogLevel.ERROR);
    server = AttachServer.start(dir, calls, sink.log("attach"));
    shim = new Shim(program, dir);
  }

  @AfterEach
  void stop() throws IOException {
    server.close();
  }

  @Test
  void environmentConfigurationAndNameReachTheAgentAsTheyAre() throws Exception {
    Map<String, String> environment = Shim.environment("ADD", "c-1", "/run/netns/x", "eth0");
    environment.put("CNI_ARGS", "A=\"\\ \t;B=\u00e5");
    environment.put("CNI_NETNS_OVERRIDE", "1");
    Ended ended = shim.as("bridge").call(environment, CONFIG + "\n");
    assertThat(ended).isEqualTo(new Ended(0, "{\"cniVersion\":\"0.4.0\"}\n"));
    Map<String, Object> expected = new LinkedHashMap<>();
    expected.put("config", Map.of("cniVersion", "0.4.0", "name", "pods", "type", "sund-cni"));
    expected.put("command", "ADD");
    expected.put("containerId", "c-1");
    expected.put("netns", "/run/netns/x");
    expected.put("ifname", "eth0");
    expected.put("args", "A=\"\\ \t;B=\u00e5");
    expected.put("path", "/opt/cni/bin");
    expected.put("netnsOverride", "1");
    expected.put("plugin", "bridge");
    assertThat(asked.get()).isEqualTo(expected);
  }

  @Test
  void theAgentsErrorIsPrintedAndTheExitCodeIsOne() throws Exception { // C8
    answer = Answer.error("0.4.0", 7, "No.", "Do.");
    Ended ended = shim.call(Shim.environment("ADD", "c", "/x", "eth0"), CONFIG);
    assertThat(ended.exitCode()).isEqualTo(1);
    assertThat(ended.output()).isEqualTo(answer.json() + "\n");
  }

  @Test
  void aDoneDelPrintsNothing() throws Exception {
    answer = Answer.DONE;
    assertThat(shim.call(Shim.environment("DEL", "c", "", "eth0"), CONFIG))
        .isEqualTo(new Ended(0, ""));
  }

  @Test
  void versionNeedsNoAgentAndListsWhatTheAgentUnderstands() throws Exception { // C7
    server.close();
    Map<String, String> environment = Map.of("CNI_COMMAND", "VERSION");
    for (CniVersion version : CniVersion.values()) {
      Ended ended = shim.call(environment, "{\"cniVersion\":\"" + version + "\"}");
      Map<String, Object> answered = Json.object(ended.output().getBytes(UTF_8));
      assertThat(answered)
          .containsEntry("cniVersion", version.text())
          .containsEntry("supportedVersions", CniVersion.texts());
    }
    assertThat(shim.call(environment, "{\"cniVersion\":\"7.0.0\"}").output())
        .contains("\"cniVersion\":\"1.1.0\"");
    assertThat(shim.call(environment, "").exitCode()).isZero();
  }

  @Test
  void anAgentThatIsAwayIsSaidWithTheRemedyInTheFormAskedFor() throws Exception { // C6, C8
    server.close();
    Ended add = shim.call(Shim.environment("ADD", "c", "/x", "eth0"), CONFIG);
    assertThat(add)
        .isEqualTo(
            new Ended(
                1,
                "{\"cniVersion\":\"0.4.0\",\"code\":11,\"msg\":\"The sund agent of this node does"
                    + " not answer at "
                    + dir
                    + "/agent.sock: No such file or directory.\",\"details\":\"Start the agent, or"
                    + " see in its log why it does not run ('sund status' says how it is); the"
                    + " runtime tries again by itself.\"}\n"));
    Ended status = shim.call(Shim.environment("STATUS", "", "", ""), CONFIG);
    assertThat(status.output()).contains("\"code\":50,");
    Path far = Files.createDirectories(dir.resolve("d".repeat(120)));
    assertThat(
            new Shim(program, far).call(Shim.environment("ADD", "c", "/x", "e"), CONFIG).output())
        .contains("\"code\":4,", "SUND_RUN_DIR is too long");
  }

  @Test
  void aDeadSocketIsAnAgentThatIsAway() throws Exception {
    server.close();
    ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    dead.bind(UnixDomainSocketAddress.of(dir.resolve("agent.sock")));
    dead.close();
    assertThat(shim.call(Shim.environment("DEL", "c", "/x", "eth0"), CONFIG).output())
        .contains("\"code\":11,", "agent.sock: Connection refused.");
  }

  @Test
  void noWaitIsWithoutEnd() throws Exception {
    server.close();
    try (ServerSocketChannel silent = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      silent.bind(UnixDomainSocketAddress.of(dir.resolve("agent.sock")));
      Shim waiting = new Shim(impatient, dir);
      long begun = System.nanoTime();
      assertThat(waiting.call(Shim.environment("ADD", "c", "/x", "eth0"), CONFIG).output())
          .contains("\"code\":11,", "did not answer");
      assertThat(System.nanoTime() - begun).isLessThan(Duration.ofSeconds(60).toNanos());
      // A runtime that never closes its end.
      Process process = new Shim(hasty, dir).start(Shim.environment("ADD", "c", "/x", "eth0"));
      try {
        process.getOutputStream().write('{');
        process.getOutputStream().flush();
      } catch (IOException _) {
        // it has lost its patience before this came
      }
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(new String(process.getInputStream().readAllBytes(), UTF_8))
          .contains("\"code\":6,", "did not end within");
    }
  }

  @Test
  void anAgentThatBreaksOffHasNotAnswered() throws Exception {
    server.close();
    try (ServerSocketChannel abrupt = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      abrupt.bind(UnixDomainSocketAddress.of(dir.resolve("agent.sock")));
      Thread closing =
          Thread.ofPlatform()
              .daemon(true)
              .start(() -> {
                try {
                  abrupt.accept().close();
                } catch (IOException _) {
                  // the test has failed by then
                }
              });
      assertThat(shim.call(Shim.environment("ADD", "c", "/x", "eth0"), CONFIG).output())
          .contains("\"code\":11,", "broke off");
      closing.join();
    }
  }

  @Test
  void whatIsMissingIsSaid() throws Exception {
    assertThat(shim.call(Map.of(), CONFIG).output()).contains("\"code\":4,", "CNI_COMMAND");
    assertThat(shim.call(Shim.environment("ADD", "c", "/x", "eth0"), "").output())
        .contains("\"code\":6,", "no network configuration");
    assertThat(shim.call(Shim.environment("ADD", "c", "/x", "e"), " ".repeat(600_000)).output())
        .contains("\"code\":6,", "longer than 512 KiB");
  }

  @Test
  void aMalformedConfigurationIsNamedByItsOwnLine() throws Exception {
    Ended ended =
        shim.call(Shim.environment("ADD", "c", "/x", "eth0"), "{\n\"name\": \"x\",\n\"type\" 3}");
    assertThat(ended.output()).contains("\"code\":6,", "line 3, column");
  }

  @Test
  void itIsSmallStaticAndTakesLittleMemory() throws Exception {
    assertThat(Files.size(program)).isLessThan(1_000_000);
    Process reader = new ProcessBuilder("readelf", "-lW", program.toString()).start();
    assertThat(new String(reader.getInputStream().readAllBytes(), UTF_8))
        .contains("LOAD")
        .doesNotContain("INTERP"); // no dynamic loader, so no library either
    try (ServerSocketChannel silent = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.close();
      silent.bind(UnixDomainSocketAddress.of(dir.resolve("agent.sock")));
      Process process = shim.start(Shim.environment("ADD", "c", "/x", "eth0"));
      try {
        process.getOutputStream().write(CONFIG.getBytes(UTF_8));
        process.getOutputStream().close();
        silent.accept(); // it waits for the answer now
        String status = Files.readString(Path.of("/proc/" + process.pid() + "/status"));
        String peak =
            status.lines().filter(line -> line.startsWith("VmHWM:")).findFirst().orElseThrow();
        assertThat(Integer.parseInt(peak.replaceAll("[^0-9]", ""))).as(peak).isLessThan(2_048);
      } finally {
        process.destroyForcibly().waitFor();
      }
    }
  }
}
