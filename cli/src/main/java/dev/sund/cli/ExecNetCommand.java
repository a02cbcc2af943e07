package dev.sund.cli;

import dev.sund.doctor.pods.PodNetwork;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sund exec-net}: a program of the node in a pod's network. */
@Command(
    name = "exec-net",
    header = "Run a program of this node in a pod's network, without touching its image.",
    description = {
      "",
      "Only the network is the pod's: files, users and /etc/resolv.conf are the node's. Works on any"
          + " Linux node with nsenter (util-linux), whatever its network plugin; needs no agent. Ends"
          + " with the program's exit code; 2 and 3 are sund's own when nothing was run."
    },
    footer = {
      "  sudo sund exec-net shop/web-0 -- ip route",
      "  sudo sund exec-net 5f2c9a1b -- ss -tnp    a container of any runtime",
      "  sudo sund exec-net 10.244.1.5 -- ping -c 3 10.96.0.10",
      "  sudo sund exec-net 4711 -- tcpdump -ni eth0 port 80",
      "  sudo sund exec-net --which shop/web-0     where its network is"
    })
public final class ExecNetCommand implements Callable<Integer> {
  private static final List<String> FOLDERS =
      List.of("/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin");

  @Mixin PodNetworks pods = new PodNetworks();

  @Option(names = "--which", description = "Print where the network is, and run nothing.")
  boolean which;

  @Parameters(index = "0", paramLabel = "POD", description = PodNetworks.DESCRIPTION)
  String pod = "";

  @Parameters(
      index = "1..*",
      arity = "0..*",
      paramLabel = "COMMAND",
      description = "What to run, after --.")
  List<String> command = new ArrayList<>();

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (command.isEmpty() && !which) {
      throw CommandFailure.badInput(
          "There is no command to run.", "Write it after --: sund exec-net POD -- ip route.");
    }
    PodNetwork network = pods.find(pod);
    if (which) {
      PodNetworkText.print(network, output.json(), spec.commandLine().getOut());
      return ExitCode.OK;
    }
    if (network.node()) {
      PrintWriter err = spec.commandLine().getErr();
      err.println("note: " + network.name() + " is on its node's own network.");
      err.flush();
    }
    List<String> line = new ArrayList<>(List.of(nsenter(), "--net=" + network.namespace(), "--"));
    line.addAll(command);
    Process process = new ProcessBuilder(line).inheritIO().start();
    // Ctrl-C reaches both of us; whether it ends anything is the program's affair.
    Thread hook =
        Thread.ofPlatform()
            .name("sund-exec-end")
            .unstarted(() -> Runtime.getRuntime().halt(patiently(process)));
    Runtime.getRuntime().addShutdownHook(hook);
    int code = process.waitFor();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException _) {
      patiently(process); // the hook has it
    }
    return code;
  }

  private static int patiently(Process process) {
    while (true) {
      try {
        return process.waitFor();
      } catch (InterruptedException _) {
        // by nobody who could mean it
      }
    }
  }

  private static String nsenter() {
    String path = System.getenv("PATH");
    return Stream.concat(Stream.of((path == null ? "" : path).split(":", -1)), FOLDERS.stream())
        .filter(folder -> folder.startsWith("/"))
        .map(folder -> Path.of(folder, "nsenter"))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow(() ->
            CommandFailure.couldNotRun(
                "There is no nsenter on this node.", "Install util-linux, or run it by hand."))
        .toString();
  }
}
