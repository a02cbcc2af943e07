package dev.sund.it.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sund.it.cni.RuntimeBed.Ended;
import dev.sund.kernel.NetNs;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Debian's containerd: pods by its CRI, as a kubelet makes them, and containers by ctr. */
@Tag("interop")
@Timeout(300)
class ContainerdTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** As people have it, with the plugin in place of the reference ones. */
  private static final String CONFLIST =
      """
      {"cniVersion": "0.4.0", "name": "dbnet",
       "plugins": [{"type": "bridge", "bridge": "cni0", "isGateway": true,
         "hairpinMode": true,
         "ipam": {"type": "host-local", "subnet": "10.1.0.0/16", "dataDir": "%s/ipam",
                  "routes": [{"dst": "0.0.0.0/0"}]}},
         {"type": "portmap", "capabilities": {"portMappings": true}},
         {"type": "bandwidth", "capabilities": {"bandwidth": true}}]}
      """;

  private static final String SERVICE = "/runtime.v1.RuntimeService/";

  @TempDir private static Path folder;
  private static RuntimeBed bed;
  private static Path socket;
  private static Path log;
  private static final List<String> sandboxes = new ArrayList<>();

  @BeforeAll
  static void build() throws Exception {
    assumeTrue(RuntimeBed.has("containerd") && RuntimeBed.has("runc"), "no containerd and runc");
    bed =
        new RuntimeBed(
            folder, CONFLIST.formatted(folder), "bridge", "host-local", "portmap", "bandwidth");
    socket = folder.resolve("c.sock");
    Path config =
        Files.writeString(
            folder.resolve("containerd.toml"),
            """
            version = 2
            root = "%1$s/c-root"
            state = "%1$s/c-state"
            [grpc]
            address = "%1$s/c.sock"
            [plugins."io.containerd.internal.v1.opt"]
            path = "%1$s/c-opt"
            [plugins."io.containerd.grpc.v1.cri"]
            sandbox_image = "%2$s"
            netns_mounts_under_state_dir = true
            restrict_oom_score_adj = true
            [plugins."io.containerd.grpc.v1.cri".containerd]
            snapshotter = "native"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
            runtime_type = "io.containerd.runc.v2"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
            Root = "%1$s/runc"
            [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "%3$s"
            conf_dir = "%4$s"
            """
                .formatted(folder, BusyboxImage.NAME, bed.bin(), bed.conf()));
    log = bed.daemon("containerd", List.of("containerd", "--config", config.toString()));
    bed.scene().await("containerd serves", PATIENCE, () -> ctr("version").exitCode() == 0);
    Path image = BusyboxImage.write(folder.resolve("busybox.tar"));
    for (String namespace : List.of("k8s.io", "default")) {
      Ended loaded =
          ctr("-n", namespace, "images", "import", "--snapshotter", "native", image.toString());
      assertThat(loaded.exitCode()).as(loaded.output()).isZero();
    }
  }

  @AfterAll
  static void remove() throws Exception {
    if (bed != null) {
      for (String id : sandboxes) {
        ctr("-n", "k8s.io", "tasks", "rm", "-f", id);
      }
      bed.close();
    }
  }

  @Test
  void aPodSandboxGetsItsNetworkAndLosesItTwice() throws Exception { // C2: DEL comes twice
    String id = runPodSandbox("web", "uid-web");
    String ip = address(id);
    assertThat(ip).startsWith("10.1.0.");
    assertThat(bed.links()).isNotEmpty();
    assertThat(bed.scene().run(bed.scene().node(1), "busybox", "ping", "-c", "1", ip))
        .contains("1 packets received");
    stop(id);
    remove(id);
    bed.scene().await("no link is left", PATIENCE, () -> bed.links().isEmpty());
    String again = runPodSandbox("web", "uid-web");
    assertThat(address(again)).startsWith("10.1.0.");
    stop(again);
    remove(again);
    bed.scene().await("no link is left", PATIENCE, () -> bed.links().isEmpty());
  }

  @Test
  void execNetEntersThePodThatAContainersIdNames() throws Exception {
    String id = runPodSandbox("tools", "uid-tools");
    String ip = address(id);
    try {
      for (String asked : List.of(id, id.substring(0, 12))) { // whole, and as crictl prints it
        Ended ended = bed.sund("exec-net", asked, "--", "ip", "-o", "addr", "show", "eth0");
        assertThat(ended.exitCode()).as(ended.output()).isZero();
        assertThat(ended.output()).contains(ip);
      }
      assertThat(bed.sund("exec-net", "--which", id.substring(0, 12)).output()).contains(ip);
    } finally {
      stop(id);
      remove(id);
    }
    bed.scene().await("no link is left", PATIENCE, () -> bed.links().isEmpty());
    Ended gone = bed.sund("exec-net", id, "--", "true");
    assertThat(gone.exitCode()).isEqualTo(2);
    assertThat(gone.output()).contains(id);
  }

  @Test
  void aHostPortLeadsToThePodAndItsAnnotationsLimitIt() throws Exception {
    Grpc.Message mapping = new Grpc.Message().number(2, 80).number(3, 8090);
    Grpc.Message limit =
        new Grpc.Message().text(1, "kubernetes.io/ingress-bandwidth").text(2, "8M");
    String id =
        runPodSandbox(sandboxMessage("ports", "uid-ports").message(5, mapping).message(7, limit));
    String ip = address(id);
    NetNs node = bed.scene().node(1);
    try (ServerSocket server = namespace(id).call(() -> new ServerSocket(80));
        Socket client =
            bed.scene()
                .node(2)
                .call(() -> {
                  Socket made = new Socket();
                  made.setTcpNoDelay(true); // makes the descriptor here
                  return made;
                })) {
      server.setSoTimeout(3_000);
      client.connect(new InetSocketAddress("192.168.1.11", 8090), 3_000);
      try (Socket taken = server.accept()) {
        assertThat(taken.getInetAddress().getHostAddress()).isEqualTo("192.168.1.12");
      }
      assertThat(bed.scene().run(node, "tc", "qdisc", "show")).contains("tbf", "rate 8Mbit");
    } finally {
      stop(id);
      remove(id);
    }
    bed.scene().await("no link is left", PATIENCE, () -> bed.links().isEmpty());
    bed.scene()
        .await(
            "the port is shut",
            PATIENCE,
            () -> !bed.scene().run(node, "nft", "list", "table", "inet", "sund").contains(ip));
  }

  /** A sandbox's network namespace, by what containerd tells of it. */
  private static NetNs namespace(String id) throws IOException {
    byte[] answer =
        new Grpc(socket)
            .call(SERVICE + "PodSandboxStatus", new Grpc.Message().text(1, id).number(2, 1));
    Matcher found =
        Pattern.compile("\\{\"type\":\"network\",\"path\":\"([^\"]+)\"")
            .matcher(new String(answer, StandardCharsets.UTF_8));
    if (!found.find()) {
      throw new IOException("containerd tells no namespace of " + id);
    }
    return NetNs.at(Path.of(found.group(1)));
  }

  @Test
  void withoutAnAgentThereIsNoHalfMadePod() throws Exception {
    bed.scene().kill(1);
    try {
      assertThat(runError("late", "uid-late")).contains("does not answer at", "Start the agent");
      assertThat(bed.links()).isEmpty();
    } finally {
      bed.scene().startAgent(1);
      bed.scene().awaitReady(1, PATIENCE);
    }
    String id = runPodSandbox("later", "uid-later");
    stop(id);
    remove(id);
    bed.scene().await("no link is left", PATIENCE, () -> bed.links().isEmpty());
  }

  @Test
  void ctrRunsAContainerInTheNetwork() throws Exception {
    // ctr looks in fixed folders: ours are put over them where only it sees them.
    Ended ended =
        bed.run(
            bed.onNode(
                List.of(
                    "unshare",
                    "--mount",
                    "--propagation",
                    "slave",
                    "sh",
                    "-c",
                    "mount -t tmpfs none /opt && mkdir -p /opt/cni/bin /etc/cni/net.d"
                        + " && mount --bind \"$1\" /opt/cni/bin && mount --bind \"$2\""
                        + " /etc/cni/net.d && exec ctr -a \"$3\" run --rm --cni --snapshotter native"
                        + " \"$4\" \"$5\" ip addr show eth0",
                    "sh",
                    bed.bin().toString(),
                    bed.conf().toString(),
                    socket.toString(),
                    BusyboxImage.NAME,
                    "ctr-" + folder.getFileName())));
    assertThat(ended.output()).contains("inet 10.1.0.");
    bed.scene().await("no link is left", PATIENCE, () -> bed.links().isEmpty());
  }

  private static Ended ctr(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("ctr", "-a", socket.toString()));
    command.addAll(List.of(arguments));
    return bed.run(bed.onNode(command));
  }

  private static String runPodSandbox(String name, String uid) throws IOException {
    return runPodSandbox(sandboxMessage(name, uid));
  }

  private static String runPodSandbox(Grpc.Message config) throws IOException {
    try {
      byte[] answer =
          new Grpc(socket).call(SERVICE + "RunPodSandbox", new Grpc.Message().message(1, config));
      String id = text(Grpc.fields(answer), 1);
      sandboxes.add(id);
      return id;
    } catch (IOException e) {
      throw new IOException(String.join("\n", tail()), e);
    }
  }

  /** What containerd says of a pod that cannot be made. */
  private static String runError(String name, String uid) throws IOException {
    try {
      String id = runPodSandbox(name, uid);
      throw new AssertionError("sandbox " + id + " was made");
    } catch (IOException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private static Grpc.Message sandboxMessage(String name, String uid) {
    Grpc.Message metadata = new Grpc.Message().text(1, name).text(2, uid).text(3, "shop");
    return new Grpc.Message()
        .message(1, metadata)
        .text(2, name)
        .text(3, folder.resolve("logs").toString())
        .message(8, new Grpc.Message().text(1, "/sund-test"));
  }

  private static String address(String id) throws IOException {
    byte[] answer =
        new Grpc(socket).call(SERVICE + "PodSandboxStatus", new Grpc.Message().text(1, id));
    Map<Integer, List<byte[]>> status = Grpc.fields(Grpc.fields(answer).get(1).getFirst());
    return text(Grpc.fields(status.get(5).getFirst()), 1);
  }

  private static void stop(String id) throws IOException {
    new Grpc(socket).call(SERVICE + "StopPodSandbox", new Grpc.Message().text(1, id));
  }

  private static void remove(String id) throws IOException {
    new Grpc(socket).call(SERVICE + "RemovePodSandbox", new Grpc.Message().text(1, id));
  }

  private static String text(Map<Integer, List<byte[]>> fields, int field) {
    return new String(fields.get(field).getFirst(), StandardCharsets.UTF_8);
  }

  private static List<String> tail() throws IOException {
    List<String> lines = Files.readAllLines(log);
    return lines.subList(Math.max(0, lines.size() - 5), lines.size());
  }
}
