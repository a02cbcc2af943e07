package dev.sund.agent.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.agent.cni.AddressSource;
import dev.sund.agent.cni.BandwidthLimits;
import dev.sund.agent.cni.CniDispatch;
import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.CniException.Code;
import dev.sund.agent.cni.LimitRecord;
import dev.sund.agent.cni.NetworkKind;
import dev.sund.agent.cni.PodNetworks;
import dev.sund.agent.cni.PodSource;
import dev.sund.agent.cni.RoutedNetwork;
import dev.sund.agent.log.LogLevel;
import dev.sund.agent.log.LogSink;
import dev.sund.agent.state.Records;
import dev.sund.dataplane.BandwidthLinks;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.program.LocalPod;
import dev.sund.kernel.NetNs;
import dev.sund.model.Mac;
import dev.sund.model.RuleId;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class AttachServerTest {
  private static final String ARGS =
      "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web;K8S_POD_UID=uid-1";

  /** An agent that attaches at once, unless told otherwise. */
  private static final class FakeAgent implements LocalCalls, PodNetworks {
    final List<Attachment> attached = new ArrayList<>();
    final List<String> detached = new ArrayList<>();
    volatile Optional<String> notReady = Optional.empty();
    volatile Optional<CniException> failure = Optional.empty();
    volatile CountDownLatch gate = new CountDownLatch(0);

    @Override
    public Optional<String> notReady() {
      return notReady;
    }

    @Override
    public LocalPod attach(Attachment attachment) throws CniException, InterruptedException {
      gate.countDown();
      gate.await();
      if (failure.isPresent()) {
        throw failure.get();
      }
      synchronized (attached) {
        attached.add(attachment);
      }
      return new LocalPod(
          "sund0123456789a",
          attachment.pod(),
          attachment.uid(),
          attachment.addresses(),
          Mac.parse("02:00:00:00:00:05"),
          1450,
          1430,
          RuleId.of("Pod", "shop/web", "uid-1"));
    }

    @Override
    public void detach(String attachmentKey) {
      detached.add(attachmentKey);
    }

    @Override
    public Answer cni(Map<String, Object> request) throws InterruptedException {
      List<NetworkKind> kinds =
          List.of(
              new RoutedNetwork(
                  this,
                  AddressSource.given(),
                  PodSource.none(),
                  new BandwidthLimits(
                      new BandwidthLinks(NetNs.ofProcess()),
                      new Records<>(Path.of("unused"), "boot", LimitRecord::parse),
                      LogSink.toStandardError("test", LogLevel.ERROR).log("bandwidth"))));
      return new CniDispatch(NetNs.ofProcess(), kinds).serve(request);
    }

    @Override
    public boolean isAttached(String attachmentKey) {
      synchronized (attached) {
        return attached.stream().anyMatch(one -> one.key().equals(attachmentKey));
      }
    }

    @Override
    public List<Attachment> attachments() {
      return attached;
    }

    @Override
    public Attachment check(String attachmentKey) throws CniException {
      throw new CniException(
          Code.UNKNOWN_CONTAINER, attachmentKey + " is not attached.", "Nothing to do.");
    }

    @Override
    public Answer ipam(Map<String, Object> request) {
      return Answer.DONE;
    }

    @Override
    public Map<String, Object> status() {
      return Map.of("node", "n1");
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
      return LogLevel.tryParse(level).isPresent();
    }
  }

  @TempDir private Path dir;
  private final FakeAgent agent = new FakeAgent();
  private final List<String> lines = new ArrayList<>();
  private AttachServer server;
  private LocalClient client;

  @BeforeEach
  void start() throws IOException {
    server = AttachServer.start(dir, agent, sink().log("attach"));
    client = new LocalClient(dir);
  }

  @AfterEach
  void stop() throws IOException {
    server.close();
  }

  @Test
  void addAnswersWithACniResult() throws IOException {
    Answer answer = client.ask(add("10.244.1.5/32", "fd00:1::5"));
    assertThat(answer.exitCode()).isZero();
    assertThat(answer.json())
        .isEqualTo(
            "{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"sund0123456789a\",\"mac\":"
                + "\"02:53:75:6e:64:01\"},{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:05\","
                + "\"sandbox\":\""
                + dir
                + "\"}],\"ips\":[{\"interface\":1,\"address\":\"10.244.1.5/32\",\"gateway\":"
                + "\"169.254.1.1\"},{\"interface\":1,\"address\":\"fd00:1::5/128\",\"gateway\":"
                + "\"fe80::1\"}],\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"169.254.1.1\"},"
                + "{\"dst\":\"::/0\",\"gw\":\"fe80::1\"}],\"dns\":{}}");
    assertThat(agent.attached)
        .singleElement()
        .satisfies(attachment -> {
          assertThat(attachment.pod()).hasToString("shop/web");
          assertThat(attachment.uid()).isEqualTo("uid-1");
          assertThat(attachment.key()).isEqualTo("c1/eth0");
        });
  }

  @Test
  void versionBeforeOneSaysTheFamilyOfEachAddress() throws IOException {
    Answer answer = client.ask(withConfig(add("10.244.1.5/32"), "cniVersion", "0.4.0"));
    assertThat(answer.json()).contains("\"cniVersion\":\"0.4.0\"").contains("\"version\":\"4\"");
  }

  @Test
  void anAgentThatIsNotReadyAsksToTryAgain() throws IOException {
    agent.notReady = Optional.of("The first list of the cluster's objects is not here yet.");
    assertThat(client.ask(add("10.244.1.5/32")))
        .isEqualTo(
            new Answer(
                1,
                "{\"cniVersion\":\"1.0.0\",\"code\":11,\"msg\":\"The first list of the cluster's"
                    + " objects is not here yet.\",\"details\":\"The runtime tries again by"
                    + " itself; if it lasts, look at the agent's /readyz and log.\"}"));
    assertThat(agent.attached).isEmpty();
  }

  @Test
  void whatTheKernelRefusedIsAnError() throws IOException {
    agent.failure =
        Optional.of(new CniException(Code.KERNEL_REFUSED, "No veth.", "Load the veth module."));
    assertThat(client.ask(add("10.244.1.5/32")).json())
        .contains("\"code\":100,\"msg\":\"No veth.\",\"details\":\"Load the veth module.\"");
  }

  @Test
  void delNeedsNoNamespace() throws IOException {
    Map<String, Object> del = LocalClient.cniRequest("DEL", "c1", "", "eth0", "", List.of());
    assertThat(client.ask(del)).isEqualTo(new Answer(0, ""));
    assertThat(client.ask(del)).isEqualTo(new Answer(0, ""));
    assertThat(agent.detached).containsExactly("c1/eth0", "c1/eth0");
  }

  @Test
  void badRequestsNameFieldValueAndRemedy() throws IOException {
    assertRefused(with(add("10.1.0.5"), "containerId", "../etc"), 4, "CNI_CONTAINERID '../etc'");
    assertRefused(with(add("10.1.0.5"), "ifname", "a/b"), 4, "CNI_IFNAME 'a/b'");
    assertRefused(with(add("10.1.0.5"), "netns", ""), 4, "ADD needs CNI_NETNS, which");
    assertRefused(with(add("10.1.0.5"), "netns", "/no/such"), 4, "CNI_NETNS '/no/such'");
    assertRefused(with(add("10.1.0.5"), "args", "K8S_POD_NAME"), 4, "'K8S_POD_NAME'");
    assertRefused(with(add("10.1.0.5"), "args", "K8S_POD_NAMESPACE=x"), 4, "K8S_POD_NAME");
    assertRefused(with(add("10.1.0.5"), "command", "FLY"), 4, "CNI_COMMAND 'FLY'");
    assertRefused(with(add("10.1.0.5"), "config", "none"), 6, "field config must be an object");
    assertRefused(add(), 7, "pod shop/web has no address");
    assertRefused(add("10.1.0.5/33"), 7, "'10.1.0.5/33' is not an address");
    assertRefused(add("10.1.0.5", "10.1.0.6"), 7, "two addresses of one family: 10.1.0.6");
    assertRefused(withConfig(add("10.1.0.5"), "cniVersion", "9.9.9"), 1, "'9.9.9'");
    assertThat(agent.attached).isEmpty();
  }

  @Test
  void checkSaysWhatIsMissing() throws IOException {
    Map<String, Object> check = with(add("10.1.0.5"), "command", "CHECK");
    assertRefused(check, 7, "CHECK needs prevResult");
    Map<String, Object> result = Map.of("ips", List.of(Map.of("address", "10.1.0.5/32")));
    assertRefused(withConfig(check, "prevResult", result), 3, "c1/eth0 is not attached.");
  }

  @Test
  void versionListsWhatIsUnderstood() throws IOException {
    assertThat(client.ask(Map.of("command", "VERSION")).json())
        .isEqualTo(
            "{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.1.0\",\"0.2.0\",\"0.3.0\","
                + "\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}");
  }

  @Test
  void statusIsTheNodesObjectOrCnisQuestion() throws IOException {
    assertThat(client.ask(Map.of("command", "STATUS")).json()).isEqualTo("{\"node\":\"n1\"}");
    Map<String, Object> config = Map.of("cniVersion", "1.1.0", "name", "sund", "type", "sund");
    Map<String, Object> asked = Map.of("command", "STATUS", "path", "/x", "config", config);
    assertThat(client.ask(asked)).isEqualTo(new Answer(0, ""));
    agent.notReady = Optional.of("Not yet.");
    assertThat(client.ask(asked).json()).contains("\"code\":50");
  }

  @Test
  void theLogLevelChangesOverTheSocket() throws IOException {
    assertThat(client.ask(Map.of("command", "LOG", "level", "debug")).exitCode()).isZero();
    assertRefused(Map.of("command", "LOG", "level", "loud"), 4, "level 'loud'");
  }

  @Test
  void manyCallsAreServedAtOnce() throws Exception {
    int calls = 64;
    agent.gate = new CountDownLatch(calls); // opens only when all calls are inside
    try (var threads = Executors.newFixedThreadPool(calls)) {
      List<Future<Answer>> answers = new ArrayList<>();
      for (int i = 0; i < calls; i++) {
        Map<String, Object> request = with(add("10.1.0." + i), "containerId", "c" + i);
        answers.add(threads.submit(() -> client.ask(request)));
      }
      for (Future<Answer> answer : answers) {
        assertThat(answer.get().exitCode()).isZero();
      }
    }
    assertThat(agent.attached).hasSize(calls);
  }

  @Test
  void nobodyElseMayConnect() throws IOException {
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(server.path())))
        .isEqualTo("rw-------");
  }

  @Test
  void aDeadSocketIsReplaced() throws IOException {
    try (AttachServer second = AttachServer.start(dir, agent, sink().log("attach"))) {
      assertThat(client.ask(Map.of("command", "STATUS")).exitCode()).isZero();
      assertThat(second.path()).exists();
    }
    assertThatThrownBy(() -> client.ask(Map.of("command", "STATUS")))
        .isInstanceOf(IOException.class);
  }

  @Test
  void aClientThatSaysNothingIsLeftAtTheDeadline() throws IOException {
    try (AttachServer impatient =
            AttachServer.start(dir, agent, sink().log("attach"), Duration.ofMillis(50));
        SocketChannel silent = SocketChannel.open(UnixDomainSocketAddress.of(impatient.path()))) {
      assertThat(silent.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    }
  }

  private void assertRefused(Map<String, ?> request, int code, String message) throws IOException {
    Answer answer = client.ask(request);
    assertThat(answer.exitCode()).as(answer.json()).isEqualTo(1);
    assertThat(answer.json())
        .contains("\"code\":" + code + ",")
        .contains(message.replace("\"", "\\\""))
        .containsPattern("\"details\":\".+\\.\"");
  }

  private Map<String, Object> add(String... ips) {
    return LocalClient.cniRequest("ADD", "c1", dir.toString(), "eth0", ARGS, List.of(ips));
  }

  private static Map<String, Object> with(Map<String, Object> request, String key, Object value) {
    Map<String, Object> changed = new LinkedHashMap<>(request);
    changed.put(key, value);
    return changed;
  }

  private static Map<String, Object> withConfig(
      Map<String, Object> request, String key, Object value) {
    return with(request, "config", with(Json.child(request, "config"), key, value));
  }

  private LogSink sink() {
    return new LogSink(
        lines::add, java.time.InstantSource.system(), System::nanoTime, "", LogLevel.DEBUG);
  }
}
