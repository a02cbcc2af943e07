package dev.sund.it.kubectl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.it.agent.AgentScene;
import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.kube.api.Kubeconfig;
import dev.sund.lab.api.LabAuthority;
import dev.sund.lab.api.Resource;
import dev.sund.lab.api.Subject;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Calico's {@code veth_mtu}, patched with the command that is printed everywhere: pods that run
 * follow at once and keep their connections. With Calico they keep their MTU until they are made
 * anew ("5 Calico interop details": MTU written to pods at creation).
 */
@Tag("interop")
@Timeout(240)
class LiveMtuTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String CONFIG =
      """
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: calico-config, namespace: calico-system}
      data: {veth_mtu: "0"}
      """;

  @TempDir Path folder;

  @Test
  void patchOfVethMtuChangesPodsThatRun() throws Exception {
    try (AgentScene scene = AgentScene.build(folder)) {
      scene.api().token("admin", Subject.ADMIN);
      ServerSocket door = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
      LabAuthority authority = new LabAuthority(Instant.now());
      scene.api().serve(door, authority.server(List.of(), List.of(Ip.parse("127.0.0.1"))));
      Path kubeconfig = folder.resolve("admin.conf");
      Files.writeString(
          kubeconfig,
          Kubeconfig.text(
              "https://127.0.0.1:" + door.getLocalPort(), "admin", Optional.of(authority.pem())));
      Kubectl kubectl = new Kubectl(kubeconfig, folder);
      kubectl.run(CONFIG, "create", "--validate=false", "-f", "-");
      scene.startAgent(1);
      scene.startAgent(3);
      scene.awaitReady(1, PATIENCE);
      scene.awaitReady(3, PATIENCE);
      PodHandle a = scene.addPod("a", 1);
      PodHandle d = scene.addPod("d", 3);
      scene.await("a reaches d", PATIENCE, () -> scene.reaches(a, d, Family.V4));
      assertThat(mtu(scene, a)).isEqualTo("1450");

      try (Connection connection = Connection.open(a, d)) {
        connection.exchange();
        kubectl.run(
            "",
            "patch",
            "configmap/calico-config",
            "-n",
            "calico-system",
            "--type",
            "merge",
            "-p",
            "{\"data\":{\"veth_mtu\": \"1440\"}}");
        scene.await("a has 1440", PATIENCE, () -> mtu(scene, a).equals("1440"));
        scene.await("d has 1440", PATIENCE, () -> mtu(scene, d).equals("1440"));
        connection.exchange();

        kubectl.run(
            "",
            "patch",
            "configmap/calico-config",
            "-n",
            "calico-system",
            "--type=merge",
            "-p",
            "{\"data\":{\"veth_mtu\": \"60\"}}");
        scene.await(
            "what is wrong is said", PATIENCE, () -> status(scene).contains("mtu-too-small"));
        assertThat(mtu(scene, a)).isEqualTo("1440");
        scene.api().delete(Resource.CONFIG_MAPS, "calico-system/calico-config");
        scene.await("a has 1450 again", PATIENCE, () -> mtu(scene, a).equals("1450"));
        connection.exchange();
      }
    }
  }

  private static String status(AgentScene scene) throws Exception {
    return scene.client(1).ask(Map.of("command", "STATUS")).json();
  }

  private static String mtu(AgentScene scene, PodHandle pod) throws Exception {
    String link = scene.run(pod.netns(), "ip", "-o", "link", "show", "dev", "eth0");
    return link.replaceAll("(?s).* mtu ([0-9]+) .*", "$1");
  }

  /** A connection between two pods that lasts. */
  private record Connection(ServerSocket server, Socket client, Socket accepted)
      implements AutoCloseable {
    static Connection open(PodHandle from, PodHandle to) throws Exception {
      InetAddress target = InetAddress.ofLiteral(to.v4().toString());
      ServerSocket server =
          to.netns()
              .call(() -> {
                ServerSocket made = new ServerSocket();
                made.bind(new InetSocketAddress(target, 0));
                made.setSoTimeout(20_000);
                return made;
              });
      Socket client =
          from.netns()
              .call(() -> {
                Socket made = new Socket();
                made.setSoTimeout(20_000);
                return made;
              });
      client.connect(new InetSocketAddress(target, server.getLocalPort()), 5_000);
      Socket accepted = server.accept();
      accepted.setSoTimeout(20_000);
      return new Connection(server, client, accepted);
    }

    /** As many bytes as fill many packets, there and back. */
    void exchange() throws Exception {
      byte[] sent = new byte[40_000];
      for (int i = 0; i < sent.length; i++) {
        sent[i] = (byte) (i * 31);
      }
      client.getOutputStream().write(sent);
      assertThat(accepted.getInputStream().readNBytes(sent.length)).isEqualTo(sent);
      accepted.getOutputStream().write(sent);
      assertThat(client.getInputStream().readNBytes(sent.length)).isEqualTo(sent);
    }

    @Override
    public void close() throws Exception {
      accepted.close();
      client.close();
      server.close();
    }
  }
}
