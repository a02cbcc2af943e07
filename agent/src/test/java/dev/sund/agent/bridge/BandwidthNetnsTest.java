package dev.sund.agent.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.cni.BandwidthLimits;
import dev.sund.agent.cni.BandwidthPlugin;
import dev.sund.agent.cni.CniDispatch;
import dev.sund.agent.cni.LimitRecord;
import dev.sund.agent.log.LogLevel;
import dev.sund.agent.log.LogSink;
import dev.sund.agent.state.Records;
import dev.sund.dataplane.BandwidthLinks;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.testing.TestNetns;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The capability {@code bandwidth} beside the reference plugin, each on a node of its own: the same
 * results and error codes, the same queues in the kernel; and what passes through them.
 */
@Tag("netns")
@Timeout(180)
class BandwidthNetnsTest {
  private static final long SEED = Long.getLong("sund.seed", 20260109);
  private static final int CONFIGURATIONS = Boolean.getBoolean("sund.long") ? 100 : 10;
  private static final String BOTH = limits(8_000_000, 800_000, 16_000_000, 1_600_000);

  private final TestNetns net = TestNetns.open();
  private final NetNs theirs = net.create("theirs");
  private final NetNs ours = net.create("ours");
  private @TempDir Path directory;
  private BandwidthLimits limits;
  private CniDispatch dispatch;
  private int pods;

  @BeforeEach
  void open() throws Exception {
    Records<LimitRecord> records =
        new Records<>(directory.resolve("limited"), "boot", LimitRecord::parse);
    records.restore();
    limits =
        new BandwidthLimits(
            new BandwidthLinks(ours),
            records,
            LogSink.toStandardError("test", LogLevel.ERROR).log("bandwidth"));
    dispatch = new CniDispatch(ours, List.of(new BandwidthPlugin(limits)));
  }

  @AfterEach
  void close() throws InterruptedException {
    limits.close();
    net.close();
  }

  @Test
  void anyConfigurationIsServedAsByTheReference() {
    Random random = new Random(SEED);
    for (int i = 0; i < CONFIGURATIONS; i++) {
      String limits =
          limits(
              number(random, 1 << 30),
              number(random, 1 << 26),
              number(random, 1 << 30),
              number(random, 1 << 26));
      boolean inConfig = random.nextInt(4) == 0;
      String as = "seed " + SEED + ", " + i + ": " + limits;
      NetNs pod = pod(theirs);
      Outcome reference = ReferencePlugins.call(theirs, call("ADD", pod, limits, inConfig));
      String theirQueues = queues(theirs);
      remove(theirs, pod, limits, inConfig, true);
      NetNs twin = pod(ours);
      Outcome own = serve(call("ADD", twin, limits, inConfig));
      assertThat(own.exit() == 0).as(as + own).isEqualTo(reference.exit() == 0);
      assertThat(own.code()).as(as).isEqualTo(reference.code());
      assertThat(queues(ours)).as(as).isEqualTo(theirQueues);
      if (own.exit() == 0) {
        assertThat(plain(own, twin)).as(as).isEqualTo(plain(reference, pod));
        assertThat(serve(call("CHECK", twin, limits, inConfig)).exit()).as(as).isZero();
      }
      remove(ours, twin, limits, inConfig, false);
    }
  }

  @Test
  @Tag("alone")
  void whatPassesIsNoFasterThanTheLimits() throws Exception {
    NetNs pod = pod(ours);
    run(ours, "ip addr add 192.0.2.1/24 dev veth0");
    run(pod, "ip addr add 192.0.2.2/24 dev eth0");
    assertThat(transfer(ours, pod).toMillis()).isLessThan(400);
    Outcome added = serve(call("ADD", pod, BOTH, false));
    assertThat(added.exit()).as(added.toString()).isZero();
    // 600 kB at 1 MB/s in, at 2 MB/s out, less the bursts of 100 kB and 200 kB.
    assertThat(transfer(ours, pod).toMillis()).isBetween(400L, 3000L);
    assertThat(transfer(pod, ours).toMillis()).isBetween(150L, 2500L);
  }

  @Test
  void delTwiceCheckAndGcAreAsTheSpecificationAsks() {
    NetNs pod = pod(ours);
    assertThat(serve(call("ADD", pod, BOTH, false)).exit()).isZero();
    assertThat(serve(call("ADD", pod, BOTH, false)).code()).as("limits are there").isEqualTo(999);
    assertThat(serve(call("CHECK", pod, BOTH, false)).exit()).isZero();
    // The reference removes what we made, since it has the name that it would have given.
    assertThat(ReferencePlugins.call(ours, call("DEL", pod, BOTH, false)).exit()).isZero();
    assertThat(run(ours, "ip -o link show type ifb")).isEmpty();
    assertThat(serve(call("CHECK", pod, BOTH, false)).exit()).as("C4").isNotZero();
    assertThat(serve(call("DEL", pod, BOTH, false)).exit()).as("C2").isZero();
    Call gone = call("DEL", pod, BOTH, false);
    assertThat(
            serve(new Call(gone.plugin(), "DEL", gone.containerId(), "eth0", "", "", gone.config()))
                .exit())
        .as("C2: without a namespace")
        .isZero();
    run(ours, "ip link del veth0");

    NetNs other = pod(ours);
    assertThat(serve(call("ADD", other, BOTH, false)).exit()).isZero();
    String gc =
        "{\"cniVersion\":\"1.1.0\",\"name\":\"net1\",\"type\":\"bandwidth\","
            + "\"cni.dev/valid-attachments\":[%s]}";
    String valid =
        "{\"containerID\":\""
            + call("GC", other, BOTH, false).containerId()
            + "\",\"ifname\":\"eth0\"}";
    assertThat(serve(new Call("bandwidth", "GC", "", "", "", "", gc.formatted(valid))).exit())
        .isZero();
    assertThat(run(ours, "ip -o link show type ifb")).isNotEmpty();
    assertThat(serve(new Call("bandwidth", "GC", "", "", "", "", gc.formatted(""))).exit())
        .isZero();
    assertThat(run(ours, "ip -o link show type ifb")).as("C5").isEmpty();
  }

  private static long number(Random random, int below) {
    return random.nextInt(4) == 0 ? 0 : 100_000 + random.nextInt(below);
  }

  private static String limits(long inRate, long inBurst, long outRate, long outBurst) {
    return "\"ingressRate\":%d,\"ingressBurst\":%d,\"egressRate\":%d,\"egressBurst\":%d"
        .formatted(inRate, inBurst, outRate, outBurst);
  }

  /** A container with a veth whose other end is veth0 of the node. */
  private NetNs pod(NetNs node) {
    NetNs pod = net.create("pod" + pods++);
    run(node, "ip link add veth0 type veth peer name eth0 netns " + pod);
    run(node, "ip link set veth0 up");
    run(pod, "ip link set eth0 up");
    return pod;
  }

  private void remove(NetNs node, NetNs pod, String limits, boolean inConfig, boolean reference) {
    Call call = call("DEL", pod, limits, inConfig);
    assertThat((reference ? ReferencePlugins.call(node, call) : serve(call)).exit()).isIn(0, 1);
    run(node, "ip link del veth0");
    assertThat(run(node, "ip -o link show type ifb")).isEmpty();
  }

  private static Call call(String command, NetNs pod, String limits, boolean inConfig) {
    String asked = inConfig ? limits : "\"runtimeConfig\":{\"bandwidth\":{" + limits + "}}";
    return new Call(
        "bandwidth",
        command,
        "container-1",
        "eth0",
        pod.path().toString(),
        "",
        """
        {"cniVersion":"1.0.0","name":"net1","type":"bandwidth","capabilities":{"bandwidth":true},
         %s,
         "prevResult":{"cniVersion":"1.0.0",
          "interfaces":[{"name":"veth0"},{"name":"eth0","sandbox":"%s"}],
          "ips":[{"address":"10.1.0.5/24","interface":1}]}}
        """
            .formatted(asked, pod.path()));
  }

  private Outcome serve(Call call) {
    return call.serve(dispatch);
  }

  private static String queues(NetNs node) {
    return run(node, "tc -d qdisc show");
  }

  /** A result with what chance decides left out. */
  private static String plain(Outcome outcome, NetNs pod) {
    return outcome
        .json()
        .toString()
        .replace(pod.path().toString(), "POD")
        .replaceAll("([0-9a-f]{2}:){5}[0-9a-f]{2}", "MAC");
  }

  /** How long 600,000 bytes take from one namespace to the other. */
  private static Duration transfer(NetNs from, NetNs to) throws Exception {
    String address = run(to, "ip -4 -o addr").contains("192.0.2.1/") ? "192.0.2.1" : "192.0.2.2";
    try (ServerSocket server =
            to.call(() -> new ServerSocket(5201, 1, InetAddress.getByName(address)));
        Socket client = from.call(() -> new Socket(address, 5201));
        Socket taker = server.accept()) {
      long begun = System.nanoTime();
      Thread sending =
          Thread.ofPlatform()
              .daemon()
              .start(() -> {
                try {
                  client.getOutputStream().write(new byte[600_000]);
                  client.shutdownOutput();
                } catch (java.io.IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      InputStream in = taker.getInputStream();
      assertThat(in.readAllBytes()).hasSize(600_000);
      sending.join();
      return Duration.ofNanos(System.nanoTime() - begun);
    }
  }

  private static String run(NetNs namespace, String command) {
    return TestNetns.run(namespace, command.split(" "));
  }
}
