package dev.sund.it.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.NetNs;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * A node with a pod and, on its other side, a DNS server; the pod has a process with a resolv.conf
 * of its own, and {@code sund} runs on the node.
 */
final class DnsBed implements AutoCloseable {
  private static final Path ROOT = Path.of(System.getProperty("sund.root"));
  private static final String RESOLV =
      """
      search shop.svc.cluster.local svc.cluster.local cluster.local
      nameserver 10.2.0.10
      options ndots:5
      """;

  private final TestNetns net = TestNetns.open();
  final NetNs node = net.create("node");
  final NetNs pod = net.create("pod");
  final NetNs far = net.create("far");
  final SmallDns dns;
  private final Path folder;
  private final List<Process> started = new ArrayList<>();

  /** What a command printed and how it ended. */
  record Ended(int exitCode, String out, String err) {}

  DnsBed(Path folder) throws Exception {
    this.folder = folder;
    TestNetns.link(pod, "eth0", "10.1.0.5/24", "fd00:1::5/64", node, "pod0");
    TestNetns.run(node, "ip", "addr", "add", "10.1.0.1/24", "dev", "pod0");
    TestNetns.run(node, "ip", "-6", "addr", "add", "fd00:1::1/64", "dev", "pod0", "nodad");
    TestNetns.link(far, "eth0", "10.2.0.10/24", "fd00:2::10/64", node, "eth0");
    TestNetns.run(node, "ip", "addr", "add", "10.2.0.1/24", "dev", "eth0");
    TestNetns.run(node, "ip", "-6", "addr", "add", "fd00:2::1/64", "dev", "eth0", "nodad");
    TestNetns.run(node, "ip", "route", "add", "default", "via", "10.2.0.10");
    TestNetns.run(node, "sysctl", "-qw", "net.ipv4.ip_forward=1");
    TestNetns.run(node, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1");
    TestNetns.run(pod, "ip", "route", "add", "default", "via", "10.1.0.1");
    TestNetns.run(pod, "ip", "-6", "route", "add", "default", "via", "fd00:1::1");
    TestNetns.run(far, "ip", "route", "add", "10.1.0.0/24", "via", "10.2.0.1");
    dns = new SmallDns(far, "10.2.0.10").knows("kubernetes.default.svc.cluster.local", "10.96.0.1");
    Path records = Files.createDirectories(folder.resolve("state/attachments"));
    Files.writeString(
        records.resolve("c1@eth0.json"),
        """
        {"containerId":"c1","interface":"eth0","netns":"%s","pod":"shop/web-0","uid":"u",
         "addresses":["10.1.0.5"],"boot":"b"}
        """
            .formatted(pod.path()));
    resolv(RESOLV);
    started.add(PodProcess.start(pod, folder.resolve("resolv.conf")));
  }

  /** What the pod's resolv.conf says from now on. */
  void resolv(String text) throws IOException {
    Files.writeString(folder.resolve("resolv.conf"), text);
  }

  /** Runs a program in the pod's network beside the test. */
  Process start(NetNs namespace, String... command) throws IOException {
    List<String> words = new ArrayList<>(List.of("nsenter", "--net=" + namespace.path()));
    words.addAll(List.of(command));
    Process process =
        new ProcessBuilder(words)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    started.add(process);
    return process;
  }

  /** {@code sund doctor} on the node. */
  Ended doctor(String... arguments) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                "nsenter",
                "--net=" + node.path(),
                ROOT.resolve("sund").toString(),
                "doctor",
                "--state-dir",
                folder.resolve("state").toString(),
                "--run-dir",
                folder.resolve("run").toString()));
    command.addAll(List.of(arguments));
    Path out = Files.createTempFile(folder, "out", ".txt");
    Path err = Files.createTempFile(folder, "err", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().put("SUND_BUILD", "never");
    builder.environment().put("NO_COLOR", "1");
    Process process = builder.start();
    started.add(process);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Ended(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  /** What is found of the pod, by check, with the conclusion as {@code conclusion}. */
  Map<String, String> found(String... arguments) throws Exception {
    List<String> all = new ArrayList<>(List.of("shop/web-0", "-o", "json"));
    all.addAll(List.of(arguments));
    Ended ended = doctor(all.toArray(String[]::new));
    assertThat(ended.err()).isEmpty();
    Tree.Mapping whole = (Tree.Mapping) JsonTrees.parse(ended.out());
    Map<String, String> found = new TreeMap<>();
    for (Tree item : ((Tree.Sequence) whole.get("findings").orElseThrow()).items()) {
      Tree.Mapping finding = (Tree.Mapping) item;
      found.merge(
          finding.text("check").orElseThrow(),
          finding.text("text").orElseThrow(),
          (one, other) -> one + " " + other);
    }
    for (Tree item : ((Tree.Sequence) whole.get("checks").orElseThrow()).items()) {
      Tree.Mapping check = (Tree.Mapping) item;
      assertThat(check.text("outcome").orElseThrow()).as("%s", ended.out()).isNotEqualTo("unread");
    }
    found.put("conclusion", whole.text("conclusion").orElseThrow());
    return found;
  }

  @Override
  public void close() throws Exception {
    started.forEach(Process::destroyForcibly);
    for (Process process : started) {
      process.waitFor(10, TimeUnit.SECONDS);
    }
    dns.close();
    net.close();
  }
}
