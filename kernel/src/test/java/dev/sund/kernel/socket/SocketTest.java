package dev.sund.kernel.socket;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.Errno;
import dev.sund.kernel.Fd;
import dev.sund.kernel.NetNs;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Over the loopback device of a namespace of its own. */
@Tag("netns")
class SocketTest {
  private static final int PATIENCE_MILLIS = 30_000;

  private NetNs namespace;

  @BeforeEach
  void makeNamespace() throws Exception {
    namespace = NetNs.create("sundt-socket-" + ProcessHandle.current().pid());
    run("ip", "-n", namespace.toString(), "link", "set", "lo", "up");
  }

  @AfterEach
  void removeNamespace() throws Exception {
    namespace.delete();
    assertThat(Fd.openDescriptors()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void udpMessageArrivesWithItsSenderAndTimeToLive(Family family) throws Exception {
    try (NetSocket server = namespace.call(() -> NetSocket.udp(family));
        NetSocket client = namespace.call(() -> NetSocket.udp(family))) {
      server.bind(Endpoint.any(family, 7)).tellTimeToLive().tellOverflow();
      client.timeToLive(9);
      MessageBuffer buffer = new MessageBuffer(2048);
      buffer.data().putInt(0, 0xcafe);
      assertThat(buffer.sendTo(client, 100, new Endpoint(loopback(family), 7))).isEqualTo(100);
      buffer.data().putInt(0, 0);

      awaitReadable(server);
      assertThat(buffer.receive(server)).isEqualTo(100);

      assertThat(buffer.data().getInt(0)).isEqualTo(0xcafe);
      assertThat(buffer.timeToLive()).hasValue(9);
      assertThat(buffer.from()).contains(new Endpoint(loopback(family), client.local().port()));
      assertThat(Errno.EAGAIN.is(buffer.receive(server))).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void closedUdpPortShowsOnTheErrorQueueWithThePacketThatMetIt(Family family) throws Exception {
    try (Epoll epoll = Epoll.open();
        NetSocket client = namespace.call(() -> NetSocket.udp(family))) {
      client.queueErrors();
      epoll.add(client, 0, 42);
      MessageBuffer buffer = new MessageBuffer(2048);
      buffer.data().putInt(0, 4711);
      buffer.sendTo(client, 32, new Endpoint(loopback(family), 999));

      assertThat(epoll.await(PATIENCE_MILLIS)).isEqualTo(1);
      assertThat(epoll.token(0)).isEqualTo(42);
      assertThat(epoll.events(0) & Epoll.ERROR).isNotZero();
      assertThat(buffer.receiveError(client)).isEqualTo(32);

      assertThat(buffer.data().getInt(0)).isEqualTo(4711);
      assertThat(buffer.from()).contains(new Endpoint(loopback(family), 999));
      QueuedError error = buffer.error().orElseThrow();
      assertThat(error.errno()).isEqualTo(Errno.ECONNREFUSED.number());
      assertThat(error.origin())
          .isEqualTo(family == Family.V4 ? QueuedError.Origin.ICMP : QueuedError.Origin.ICMP6);
      assertThat(error.offender()).contains(loopback(family));
    }
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void packetLargerThanTheDeviceTakesIsRefusedToTheByte(Family family) throws Exception {
    run("ip", "-n", namespace.toString(), "link", "set", "lo", "mtu", "1400");
    int headers = family == Family.V4 ? 28 : 48;
    for (boolean probe : List.of(true, false)) {
      try (NetSocket client = namespace.call(() -> NetSocket.udp(family))) {
        NetSocket socket = probe ? client.probeMtu() : client.dontFragment();
        MessageBuffer buffer = new MessageBuffer(2048);
        Endpoint to = new Endpoint(loopback(family), 9);
        assertThat(buffer.sendTo(socket, 1400 - headers, to)).isEqualTo(1400 - headers);
        assertThat(Errno.EMSGSIZE.is(buffer.sendTo(socket, 1401 - headers, to))).isTrue();
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void tcpConnectionIsTakenOrRefused(Family family) throws Exception {
    try (Epoll epoll = Epoll.open();
        NetSocket server = namespace.call(() -> NetSocket.tcp(family));
        NetSocket client = namespace.call(() -> NetSocket.tcp(family));
        NetSocket unlucky = namespace.call(() -> NetSocket.tcp(family))) {
      server.bind(Endpoint.any(family, 80)).listen(16);
      int begun = client.tryConnect(new Endpoint(loopback(family), 80));
      assertThat(begun == 0 || Errno.EINPROGRESS.is(begun)).isTrue();
      epoll.add(server, Epoll.READABLE, 1);
      assertThat(epoll.await(PATIENCE_MILLIS)).isEqualTo(1);
      try (NetSocket taken = server.accept().orElseThrow()) {
        assertThat(taken.remote()).isEqualTo(client.local());
        assertThat(client.pendingError()).isZero();
        assertThat(server.accept()).isEmpty();
      }

      int refused = unlucky.tryConnect(new Endpoint(loopback(family), 81));
      int error = -refused;
      if (refused == 0 || Errno.EINPROGRESS.is(refused)) {
        await(unlucky, Epoll.WRITABLE);
        error = unlucky.pendingError();
      }
      assertThat(error).isEqualTo(Errno.ECONNREFUSED.number());
    }
  }

  @Test
  void overflowOfAReceiveBufferIsCounted() throws Exception {
    try (NetSocket server = namespace.call(() -> NetSocket.udp(Family.V4));
        NetSocket client = namespace.call(() -> NetSocket.udp(Family.V4))) {
      server.bind(Endpoint.any(Family.V4, 7)).tellOverflow().receiveBuffer(4096);
      MessageBuffer buffer = new MessageBuffer(2048);
      for (int i = 0; i < 100; i++) {
        buffer.sendTo(client, 1000, new Endpoint(loopback(Family.V4), 7));
      }
      int received = 0;
      while (buffer.receive(server) >= 0) {
        received++;
      }
      int sent = 100;
      long counted = 0;
      do { // the next one tells how many were lost; on a busy machine some of them come after it
        buffer.sendTo(client, 1000, new Endpoint(loopback(Family.V4), 7));
        sent++;
        awaitReadable(server);
        while (buffer.receive(server) >= 0) {
          received++;
          counted = buffer.overflow().orElse(0);
        }
      } while (received + counted < sent && sent < 200);
      assertThat(counted).isPositive().isEqualTo(sent - received);
    }
  }

  @Test
  void captureSeesFramesFromTheirEthernetHeaderOn() throws Exception {
    try (NetSocket capture = namespace.call(() -> NetSocket.capture(1));
        NetSocket client = namespace.call(() -> NetSocket.udp(Family.V4))) {
      MessageBuffer buffer = new MessageBuffer(2048);
      buffer.data().putInt(0, 0x53554e44);
      buffer.sendTo(client, 16, new Endpoint(loopback(Family.V4), 9));

      awaitReadable(capture);
      assertThat(buffer.receive(capture)).isEqualTo(14 + 20 + 8 + 16);

      assertThat(buffer.data().getShort(12)).isEqualTo((short) 0x0800);
      assertThat(buffer.data().getInt(14 + 28)).isEqualTo(0x53554e44);
    }
  }

  @Test
  void wakeupEndsAWaitUntilItIsCleared() throws Exception {
    try (Epoll epoll = Epoll.open();
        Wakeup wakeup = Wakeup.open()) {
      epoll.add(wakeup, 7);
      assertThat(epoll.await(0)).isZero();
      wakeup.signal();
      assertThat(epoll.await(PATIENCE_MILLIS)).isEqualTo(1);
      wakeup.clear();
      assertThat(epoll.await(0)).isZero();
    }
  }

  /** What is sent over the loopback device is there when the kernel comes to it, not at once. */
  private static void awaitReadable(NetSocket socket) throws Exception {
    await(socket, Epoll.READABLE);
  }

  private static void await(NetSocket socket, int events) throws Exception {
    try (Epoll epoll = Epoll.open()) {
      epoll.add(socket, events, 1);
      assertThat(epoll.await(PATIENCE_MILLIS)).isEqualTo(1);
    }
  }

  private static Ip loopback(Family family) {
    return Ip.parse(family == Family.V4 ? "127.0.0.1" : "::1");
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
  }
}
