package dev.sund.it.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * A namespace as node, pods that the reference plugins join to it, and the doctor that looks at it:
 * with a mount namespace of its own, in which {@code /sys} shows this network and {@code
 * /etc/cni/net.d} what the test writes.
 */
final class FaultyNode implements AutoCloseable {
  private static final Path ROOT = Path.of(System.getProperty("sund.root"));
  private static final String PLUGINS = "/usr/lib/cni";

  private final Path folder;
  private final NetNs node;
  private final Map<String, NetNs> pods = new TreeMap<>();
  private final List<Process> traffic = new ArrayList<>();

  private FaultyNode(Path folder, NetNs node) {
    this.folder = folder;
    this.node = node;
  }

  static FaultyNode make(Path folder) throws Exception {
    FaultyNode made =
        new FaultyNode(folder, NetNs.create("sundt-doctor-" + ProcessHandle.current().pid()));
    Files.createDirectories(folder.resolve("net.d"));
    Files.createDirectories(folder.resolve("over"));
    made.in("ip link set lo up");
    made.in("ip link add eth0 type veth peer name far0");
    made.in("ip address add 192.168.11.11/24 dev eth0");
    made.in("ip link set eth0 up");
    made.in("ip link set far0 up");
    made.in("ip route add default via 192.168.11.1");
    made.in("sysctl -qw net.ipv4.ip_forward=1");
    made.in("sysctl -qw net.ipv4.conf.all.rp_filter=0");
    return made;
  }

  /** Writes a file of {@code /etc/cni/net.d}. */
  void configure(String file, String text) throws Exception {
    Files.writeString(folder.resolve("net.d").resolve(file), whole(text));
  }

  void remove(String file) throws Exception {
    Files.delete(folder.resolve("net.d").resolve(file));
  }

  private String whole(String text) {
    return text.replace("DATA", folder.resolve("data").toString());
  }

  /** A pod, made by the first plugin of a network. */
  void pod(String name, String network) throws Exception {
    NetNs pod = NetNs.create("sundt-doctor-" + name + "-" + ProcessHandle.current().pid());
    pods.put(name, pod);
    // A plugin is given its own part, with the network's name and version.
    String one =
        whole(network)
            .replaceFirst("\"plugins\": \\[\\s*\\{", "")
            .replaceFirst("(?s)\\}\\},\\s*\\{\"type\": \"portmap\".*", "}}");
    run(
        List.of(
            "env",
            "CNI_COMMAND=ADD",
            "CNI_CONTAINERID=" + name,
            "CNI_NETNS=" + pod.path(),
            "CNI_IFNAME=eth0",
            "CNI_PATH=" + PLUGINS,
            "nsenter",
            "--net=" + node.path(),
            PLUGINS + "/bridge"),
        one);
  }

  /** A pod's network is gone without a word to the plugin, as when a runtime is killed. */
  void lose(String pod) throws Exception {
    pods.remove(pod).delete();
  }

  /** Traffic of these kinds in the node's network, until it is stopped. */
  Process traffic(String... kinds) throws Exception {
    return traffic(node, kinds);
  }

  /** The same in a pod's network. */
  Process trafficInPod(String pod, String... kinds) throws Exception {
    return traffic(pods.get(pod), kinds);
  }

  private Process traffic(NetNs namespace, String... kinds) throws Exception {
    Process process = FaultyTraffic.in(namespace, folder.resolve("traffic"), kinds);
    traffic.add(process);
    return process;
  }

  /** Runs a command in the node's network, and says what it printed. */
  String in(String command) throws Exception {
    return inside(node, command, "");
  }

  /** Runs a command in a pod's network. */
  void inPod(String pod, String command) throws Exception {
    inside(pods.get(pod), command, "");
  }

  /** Loads rules as kube-proxy does. */
  void restore(String rules) throws Exception {
    inside(node, "iptables-restore --noflush", rules);
  }

  private String inside(NetNs namespace, String command, String input) throws Exception {
    List<String> words = new ArrayList<>(List.of("nsenter", "--net=" + namespace.path()));
    words.addAll(List.of(command.split(" ")));
    return run(words, input);
  }

  /** What the doctor prints. */
  String doctor(String... arguments) throws Exception {
    String mounts =
        """
        mount --make-rprivate / && mount -t sysfs sysfs /sys && over=$1 && net=$2 && shift 2 &&
        mount -t tmpfs tmpfs "$over" && mkdir "$over/upper" "$over/work" &&
        mount -t overlay overlay -o "lowerdir=/etc,upperdir=$over/upper,workdir=$over/work" /etc &&
        mkdir -p /etc/cni/net.d && mount --bind "$net" /etc/cni/net.d && exec "$@"
        """;
    return doctor(List.of("--mount"), mounts, "over", List.of(), arguments);
  }

  /**
   * What the doctor prints in a container on the node's network that has the node's file systems
   * below a folder. The container's own process is the first of the node.
   */
  String doctorInContainer(String... arguments) throws Exception {
    String mounts =
        """
        mount --make-rprivate / && host=$1 && net=$2 && shift 2 &&
        mkdir -p "$host/proc" "$host/sys" "$host/run/netns" "$host/etc/cni/net.d" \
          "$host/usr/lib/cni" &&
        mount -t proc proc "$host/proc" && mount -t sysfs sysfs "$host/sys" &&
        mount --rbind /run/netns "$host/run/netns" && mount --bind /usr/lib/cni "$host/usr/lib/cni" &&
        mount --bind "$net" "$host/etc/cni/net.d" && exec "$@"
        """;
    return doctor(
        List.of("--mount", "--pid", "--fork", "--kill-child"),
        mounts,
        "host",
        List.of("--root", folder.resolve("host").toString()),
        arguments);
  }

  private String doctor(
      List<String> namespaces,
      String mounts,
      String place,
      List<String> options,
      String... arguments)
      throws Exception {
    List<String> words = new ArrayList<>(List.of("nsenter", "--net=" + node.path(), "unshare"));
    words.addAll(namespaces);
    words.addAll(
        List.of(
            "sh",
            "-c",
            mounts,
            "sh",
            folder.resolve(place).toString(),
            folder.resolve("net.d").toString(),
            ROOT.resolve("sund").toString(),
            "doctor",
            "--fail-on",
            "never"));
    words.addAll(options);
    words.addAll(List.of(arguments));
    if (!words.contains("--window")) {
      words.addAll(List.of("--window", "0"));
    }
    return run(words, "");
  }

  private String run(List<String> command, String input) throws Exception {
    Path in = Files.writeString(folder.resolve("in"), input);
    Path out = folder.resolve("out");
    Path errors = folder.resolve("errors");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectInput(in.toFile())
            .redirectOutput(out.toFile())
            .redirectError(errors.toFile());
    builder.environment().put("SUND_BUILD", "never");
    Process process = builder.start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    String output = Files.readString(out, StandardCharsets.UTF_8);
    assertThat(process.exitValue())
        .as("%s: %s%s", command, output, Files.readString(errors, StandardCharsets.UTF_8))
        .isZero();
    return output;
  }

  @Override
  public void close() throws KernelException {
    traffic.forEach(FaultyTraffic::stop);
    for (NetNs pod : pods.values()) {
      pod.delete();
    }
    node.delete();
  }
}
