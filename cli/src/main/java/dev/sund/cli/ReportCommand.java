package dev.sund.cli;

import dev.sund.agent.local.Json;
import dev.sund.agent.verify.NodeVerification;
import dev.sund.doctor.Blind;
import dev.sund.doctor.Catalogue;
import dev.sund.doctor.Check;
import dev.sund.doctor.Examination;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Host;
import dev.sund.doctor.Recording;
import dev.sund.doctor.Result;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.WholeFile;
import dev.sund.doctor.cluster.ClusterDns;
import dev.sund.doctor.cluster.ClusterFacts;
import dev.sund.doctor.live.LiveFacts;
import dev.sund.doctor.report.Configuration;
import dev.sund.doctor.report.Report;
import dev.sund.doctor.report.Secrets;
import dev.sund.kernel.NetNs;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiServer;
import dev.sund.kube.api.Dialer;
import dev.sund.kube.snapshot.Snapshot;
import dev.sund.model.NodeName;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sund report}: this node in one file, for a colleague. */
@Command(
    name = "report",
    header = "Pack findings, what they were read from, and configuration into one archive.",
    description = {
      "",
      "For a colleague who has no access to the node: sund doctor --root FILE.tar.gz finds there"
          + " what it finds here. Passwords, tokens, keys and certificates are taken out; what is"
          + " in it is printed: look before you send it. It has addresses and names of devices,"
          + " pods and processes. Needs no agent and no cluster; with --kubeconfig the"
          + " doctor looks at the cluster, too, and its objects are in it as sund snapshot has"
          + " them. Changes nothing."
    },
    footer = {
      "  sudo sund report",
      "  sudo sund report -w node1.tar.gz --kubeconfig /etc/kubernetes/admin.conf",
      "  sund doctor --root node1.tar.gz       the colleague's"
    })
public final class ReportCommand implements Callable<Integer> {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final DateTimeFormatter STAMP =
      DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneOffset.UTC);
  private static final String README =
      """
      Made by sund report on %s, %s.

      doctor.txt, doctor.json  what sund doctor found
      tree/                    what its checks read, at both ends of the window: sund doctor --root tree
                               finds the same. What is in no file is in tree/sund-facts
      config/                  configuration of the node, its network plugin, proxy and kernel
      sund/                    versions, the agent's status and drops, what differs from what is wanted
      cluster.json             the cluster's objects that matter, where a kubeconfig was given
      not-in-it.txt            what could not be read, and why

      Secrets have been replaced by %s.
      """;

  @Option(
      names = {"-w", "--write"},
      paramLabel = "FILE",
      description = "Where to write (default: sund-report-HOST-TIME.tar.gz here).")
  @Nullable Path to;

  @Option(names = "--force", description = "Replace FILE when it is there.")
  boolean force;

  @Option(
      names = "--root",
      paramLabel = "DIR",
      defaultValue = "/",
      description = "Where the node's file systems are (default: /).")
  Path root = Path.of("/");

  @Option(
      names = "--kubeconfig",
      paramLabel = "FILE",
      description = "Pack the cluster's objects, too, and compare the kernel with them.")
  @Nullable Path kubeconfig;

  @Option(
      names = "--node",
      paramLabel = "NAME",
      description = "This node's name in the cluster (default: the agent's, else the host's).")
  @Nullable String node;

  @Mixin WindowOption window = new WindowOption();

  @Mixin AgentTalk agent = new AgentTalk();

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  private final Report report = new Report();
  private Optional<String> agentsNode = Optional.empty();

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (!Files.isDirectory(root)) {
      throw CommandFailure.badInput(
          "--root " + root + " is no folder.", "Name the folder in which proc and sys are.");
    }
    window.length(); // before anything is read
    Path whole = root.toAbsolutePath().normalize();
    Instant now = Instant.now();
    String host = hostName(whole);
    String top = "sund-report-" + host + "-" + STAMP.format(now);
    Path archive = to == null ? Path.of(top + ".tar.gz") : to;
    if (!force && Files.exists(archive)) {
      throw exists(archive);
    }
    Path folder = archive.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw CommandFailure.badInput(
          "There is no folder for " + archive + ".", "Make it, or name another file.");
    }

    examine(whole);
    Configuration.add(whole, report);
    if (whole.equals(Path.of("/"))) {
      ofThisProcess();
    }
    if (kubeconfig != null) {
      cluster(kubeconfig, host);
    }
    report.add("README.txt", README.formatted(host, now, Secrets.REMOVED));
    if (!report.notes().isEmpty()) {
      report.add("not-in-it.txt", String.join("\n", report.notes()) + "\n");
    }
    try {
      report.write(archive, top, now, force);
    } catch (FileAlreadyExistsException e) {
      throw exists(archive);
    }
    print(archive, top);
    return ExitCode.OK;
  }

  private static CommandFailure exists(Path archive) {
    return CommandFailure.badInput(
        archive + " is there already.", "Name another file by -w, or give --force.");
  }

  private static String hostName(Path root) {
    try {
      String name = WholeFile.text(root.resolve("proc/sys/kernel/hostname")).strip();
      return name.matches("[A-Za-z0-9._-]{1,64}") ? name : "node";
    } catch (IOException _) {
      return "node";
    }
  }

  /** The doctor's findings, and all that they were read from. */
  private void examine(Path whole) throws InterruptedException {
    Recording recording = new Recording();
    Facts facts = LiveFacts.of(whole);
    List<Check<?>> checks = new ArrayList<>(Catalogue.node());
    if (kubeconfig != null) {
      Facts cluster = ClusterFacts.ofServer(kubeconfig, System.getenv(), PATIENCE);
      facts =
          facts
              .with(Facts.CLUSTER, cluster)
              .with(Facts.CLUSTER_DNS, new ClusterDns(cluster, LiveFacts.networkOf(whole)));
      checks.addAll(Catalogue.cluster());
    }
    Host host =
        new Host(whole, window.length(), Thread::sleep, facts, Blind.here(whole), recording);
    Examination found = Examination.of(host, checks);
    try {
      host.text(Host.FACTS + "/" + Facts.EVERY_ROUTE);
    } catch (UnreadException e) {
      report.note("all routes: " + e.getMessage());
    }
    for (Result result : found.unread()) {
      if (result.outcome() instanceof Result.Unread(var why, var _)) {
        report.note("check " + result.check().id() + ": " + why);
      }
    }
    StringWriter text = new StringWriter();
    new DoctorText(new Colours(false)).print(found, Set.of(), true, new PrintWriter(text, true));
    report.add("doctor.txt", text.toString());
    report.add("doctor.json", Json.write(DoctorText.whole(found)) + "\n");
    report.add(recording);
  }

  /** What only a process of this node can ask: its agent, its environment, its Java. */
  private void ofThisProcess() {
    report.add("sund/version.txt", new Version().getVersion()[0] + "\n");
    report.add(
        "sund/environment.txt",
        Secrets.environment(
            new TreeMap<>(System.getenv())
                .entrySet().stream()
                    .map(entry -> entry.getKey() + "=" + entry.getValue().replace('\n', ' '))
                    .collect(Collectors.joining("\n")),
            "\n"));
    try {
      Optional<AgentTalk.Said> status = agent.tryAsk(Map.of("command", "STATUS"));
      if (status.isEmpty()) {
        report.note("the agent's status and drops: no agent answers in " + agent.runDir);
        return;
      }
      report.add("sund/status.json", status.get().answer().json() + "\n");
      agentsNode = Optional.ofNullable(status.get().fields().get("node")).map(Object::toString);
      Map<String, ?> drops = Map.of("command", "DROPS", "after", 0, "wait", 0, "counters", true);
      report.add("sund/drops.json", agent.ask(drops).answer().json() + "\n");
    } catch (IOException | CommandFailure e) {
      report.note("the agent's status and drops: " + e.getMessage());
    }
  }

  private void cluster(Path config, String host) {
    try {
      ApiServer server = KubeconfigOption.read(config);
      try (ApiObjects api = new ApiObjects(server, Dialer.HERE, PATIENCE)) {
        Snapshot.Taken taken = Snapshot.take(api);
        report.add("cluster.json", taken.json());
        taken.unread().forEach(what -> report.note("of the cluster: " + what));
      }
      NetNs here = NetNs.ofProcess();
      String name = node == null ? agentsNode.orElse(host) : node;
      NodeVerification verified =
          NodeVerification.of(
              new NodeName(name),
              here,
              NodeVerification.list(server, here, PATIENCE),
              new FabricOption().settings(spec.commandLine().getErr()));
      report.add("sund/verify.json", VerifyCommand.json(verified) + "\n");
    } catch (CommandFailure e) {
      report.note("the cluster: " + e.getMessage() + " " + e.remedy());
    } catch (IOException | IllegalArgumentException e) {
      report.note("the cluster: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      report.note("the cluster: interrupted");
    }
  }

  private void print(Path archive, String top) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    Map<String, Integer> contents = report.contents();
    if (output.json()) {
      Map<String, Object> whole = new LinkedHashMap<>();
      whole.put("archive", archive.toString());
      whole.put("bytes", Files.size(archive));
      whole.put("folder", top);
      whole.put("files", contents);
      whole.put("notInIt", report.notes());
      out.println(Json.write(whole));
    } else {
      Map<String, Integer> shown = new TreeMap<>();
      Map<String, Integer> counts = new TreeMap<>();
      contents.forEach((name, size) -> {
        String part = name.startsWith("tree/proc/") ? "tree/proc/..." : name;
        shown.merge(part, size, Integer::sum);
        counts.merge(part, 1, Integer::sum);
      });
      shown.forEach((name, size) ->
          out.printf(
              "%,10d  %s%s%n",
              size,
              name,
              counts.getOrDefault(name, 1) > 1 ? "  (" + counts.get(name) + " files)" : ""));
      report.notes().forEach(note -> out.println("not in it: " + note));
      out.printf(
          "%s: %,d bytes, for your eyes only (mode 0600); secrets are replaced by %s%n",
          archive, Files.size(archive), Secrets.REMOVED);
    }
    out.flush();
  }
}
