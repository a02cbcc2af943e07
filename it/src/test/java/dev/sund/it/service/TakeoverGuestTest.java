package dev.sund.it.service;

import static dev.sund.it.service.Manifest.Backend.ready;
import static dev.sund.it.service.Manifest.service;
import static dev.sund.it.service.Manifest.slices;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Answer;
import dev.sund.agent.local.AttachServer;
import dev.sund.agent.local.LocalCalls;
import dev.sund.agent.log.LogLevel;
import dev.sund.agent.log.LogSink;
import dev.sund.dataplane.foreign.ProxyLeavings;
import dev.sund.it.service.TakeoverBed.Ended;
import dev.sund.kernel.NetNs;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * From kube-proxy's mode ipvs to Sund, in a kernel that has IPVS: who came before is carried by it,
 * who comes after Sund's rules stand is not, and {@code --drain} waits for the former.
 */
@Tag("guest")
class TakeoverGuestTest {
  private static final String SERVICE = "10.96.0.10";

  @TempDir private Path directory;

  @Test
  void ofModeIpvsItWaitsForWhatIpvsCarries() throws Exception {
    Assumptions.assumeTrue(
        Boolean.getBoolean("sund.test.guest"), "IPVS is tested in the guest: run sund test");
    try (ServiceBed bed = ServiceBed.build(Dataplanes.NFT, directory.resolve("bed"));
        AttachServer agent =
            AttachServer.start(
                Files.createDirectories(directory.resolve("run")),
                new Ready(),
                new LogSink(_ -> {}, InstantSource.system(), System::nanoTime, "", LogLevel.ERROR)
                    .log("attach"))) {
      NetNs node = bed.place("n1");
      TakeoverBed.write("ipvs", node, bed.address("a", Family.V4), directory);
      Socket old = talk(bed);
      bed.have(
          service("web", 10, "ports: [{name: web, port: 80, targetPort: 8080}]"),
          slices(bed, "web", "web:tcp:8080", ready("a")));
      try (Socket ours = talk(bed)) {
        // One is carried by IPVS, the other by Sund's own rules.
        Ended waited = takeover(node, "--drain", "1");
        assertThat(waited.exitCode()).as(waited.out()).isEqualTo(1);
        assertThat(waited.out())
            .contains("1 connections are carried by IPVS", "nothing is removed");
        assertThat(ProxyLeavings.find(node)).hasSize(2);
        assertThat(answer(old)).startsWith("a ");

        Ended drained = takeover(node, "--drain", "60");

        assertThat(drained.exitCode()).as(drained.out()).isZero();
        assertThat(drained.out())
            .contains("0 connections are carried by IPVS", "remove device kube-ipvs0");
        assertThat(ProxyLeavings.find(node)).isEmpty();
        assertThat(answer(ours)).startsWith("a ");
        assertThat(answer(talk(bed))).startsWith("a ");
      }
    }
  }

  /** An agent all of whose rules stand: to boot a real one takes an emulator minutes. */
  private static final class Ready implements LocalCalls {
    @Override
    public Map<String, Object> status() {
      return Map.of("ready", true, "pending", 0);
    }

    @Override
    public Answer cni(Map<String, Object> request) {
      return Answer.DONE;
    }

    @Override
    public Answer ipam(Map<String, Object> request) {
      return Answer.DONE;
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
  }

  private Ended takeover(NetNs node, String... options) {
    return TakeoverBed.takeover(node, directory.resolve("run"), options);
  }

  private static Socket talk(ServiceBed bed) throws Exception {
    Socket socket =
        bed.place("b")
            .call(() -> {
              Socket made = new Socket();
              made.setTcpNoDelay(true); // makes the descriptor here
              return made;
            });
    socket.setSoTimeout(10_000);
    socket.connect(
        new InetSocketAddress(InetAddress.getByAddress(Ip.parse(SERVICE).toBytes()), 80), 10_000);
    return socket;
  }

  /** Whoever answers does so when he has heard all. */
  private static String answer(Socket socket) throws Exception {
    try (socket) {
      socket.getOutputStream().write(7);
      socket.shutdownOutput();
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
