package dev.sund.it.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.NetNs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Programs that do to a network what the kernel's counters tell of: one that takes no connections,
 * one that reads nothing, one that sends more than fits. Each ends by itself after five minutes.
 */
final class FaultyTraffic {
  private static final String SCRIPT =
      """
      import socket, struct, sys, threading, time

      end = time.time() + 300
      said = threading.Event()


      def tcp(port, backlog):
          listener = socket.socket()
          listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
          listener.bind(("127.0.0.1", port))
          listener.listen(backlog)
          return listener


      def begin(port):
          client = socket.socket()
          client.setblocking(False)
          client.connect_ex(("127.0.0.1", port))
          return client


      def overflow():  # nobody takes its connections
          listener = tcp(9001, 0)
          kept = begin(9001)
          while time.time() < end:
              begin(9001).close()
              time.sleep(0.02)


      def some():  # the same, for a moment
          listener = tcp(9001, 0)
          kept = [begin(9001) for _ in range(4)]
          time.sleep(0.1)
          said.set()


      def taken():  # and then one that takes many
          listener = tcp(9006, 16)
          for _ in range(4000):
              client = socket.create_connection(("127.0.0.1", 9006))
              server, _ = listener.accept()
              client.close()
              server.close()
          said.set()


      def begun():  # whose handshakes are never ended: the rules lose the second packet
          listener = tcp(9002, 4)
          kept = []
          while time.time() < end:
              kept = kept[-200:] + [begin(9002)]
              time.sleep(0.01)


      def broken():  # ends each connection by a reset
          listener = tcp(9003, 16)
          while time.time() < end:
              client = socket.create_connection(("127.0.0.1", 9003))
              server, _ = listener.accept()
              server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
              server.close()
              client.close()
              time.sleep(0.01)


      def again():  # over a way that loses
          listener = tcp(9004, 16)
          client = socket.create_connection(("127.0.0.1", 9004))
          server, _ = listener.accept()
          client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
          threading.Thread(target=lambda: [0 for _ in iter(lambda: server.recv(65536), b"")], daemon=True).start()
          while time.time() < end:
              client.sendall(bytes(500))
              time.sleep(0.002)


      def late():  # a program that reads nothing
          receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
          receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
          receiver.bind(("127.0.0.1", 9005))
          send(("127.0.0.1", 9005), 500)


      def send(to, size, discovery=0):
          six = ":" in to[0]
          sender = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
          if not six:
              sender.setsockopt(socket.IPPROTO_IP, 10, discovery)  # IP_MTU_DISCOVER
          while time.time() < end:
              try:
                  sender.sendto(bytes(size), to)
              except OSError:
                  pass
              time.sleep(0.01)


      def proxy(mode):  # what kube-proxy says of itself
          listener = tcp(10249, 16)
          said.set()
          while time.time() < end:
              asker, _ = listener.accept()
              asker.recv(4096)
              asker.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + mode)
              asker.close()


      def connections():  # so many that the table is more than half full, then some more
          limit = int(open("/proc/sys/net/netfilter/nf_conntrack_max").read())
          sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
          sent = 0
          while time.time() < end:
              for _ in range(limit // 2 + 2000 if sent == 0 else limit // 4000):
                  sender.sendto(b"x", ("10.50.0.%d" % (1 + sent // 60000), 1 + sent % 60000))
                  sent += 1
              said.set()
              time.sleep(0.1)


      threads = {
          "overflow": overflow,
          "begun": begun,
          "broken": broken,
          "again": again,
          "late": late,
          "crowd": lambda: send(("192.168.11.1", 9), 1000),
          "pieces": lambda: send(("192.168.12.1", 9), 4000),
          "pieces6": lambda: send(("fd00:12::2", 9), 4000),
          "proxy-iptables": lambda: proxy(b"iptables"),
          "proxy-ipvs": lambda: proxy(b"ipvs"),
          "connections": connections,
          "some": some,
          "taken": taken,
          "whole": lambda: send(("10.77.0.1", 9), 1400, 3),  # IP_PMTUDISC_PROBE: never in pieces
      }
      for name in sys.argv[1:]:
          threading.Thread(target=threads[name], daemon=True).start()
      if sys.argv[1] in ("connections", "some", "taken", "proxy-iptables", "proxy-ipvs"):
          said.wait()
      else:
          time.sleep(0.2)
      print("ready", flush=True)
      time.sleep(300)
      """;

  private FaultyTraffic() {}

  /** Begins traffic of these kinds, and comes back when it runs. */
  static Process in(NetNs namespace, Path said, String... kinds) throws Exception {
    List<String> words =
        new ArrayList<>(List.of("nsenter", "--net=" + namespace.path(), "python3", "-c", SCRIPT));
    words.addAll(List.of(kinds));
    Files.deleteIfExists(said);
    Process process =
        new ProcessBuilder(words).redirectErrorStream(true).redirectOutput(said.toFile()).start();
    try {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
      while (!Files.readString(said, StandardCharsets.UTF_8).contains("ready")) {
        assertThat(process.isAlive() && System.nanoTime() < end)
            .as("%s: %s", List.of(kinds), Files.readString(said, StandardCharsets.UTF_8))
            .isTrue();
        Thread.sleep(20);
      }
      return process;
    } catch (IOException | InterruptedException | AssertionError e) {
      stop(process);
      throw e;
    }
  }

  /** Ends it, and waits until it is gone. */
  static void stop(Process process) {
    process.destroyForcibly();
    process.onExit().join();
  }
}
