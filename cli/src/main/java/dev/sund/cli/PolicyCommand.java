package dev.sund.cli;

import dev.sund.agent.local.Json;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiServer;
import dev.sund.kube.api.Dialer;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sund policy}: the cluster's policies, and which nodes enforce them as they are now. */
@Command(
    name = "policy",
    header = "Show the cluster's policies and whether all nodes enforce them as they are now.",
    description = {
      "",
      "Asks the API server. A node says in its object NodePolicies up to which version of the API"
          + " it enforces policies; one that is behind a policy's version, has not been heard of"
          + " for a minute, or has no such object, is stale. What is wrong with a policy is told"
          + " beside it: it is in force all the same, and denies what is not understood."
    },
    footer = {
      "  sund policy list",
      "  sund policy list -n shop -o json",
      "  sund policy show deny-all -n shop",
      "  sund policy status",
      "  kubectl apply -f deny-all.yaml && sund policy wait shop/deny-all --timeout 30",
      "  sudo sund policy record start",
      "  sudo sund policy suggest shop > shop-policies.yaml"
    },
    subcommands = {PolicyRecordCommand.class, PolicySuggestCommand.class})
public final class PolicyCommand implements Callable<Integer> {
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final Duration STEP = Duration.ofMillis(250);

  /** What is to be done. */
  enum Verb {
    LIST,
    SHOW,
    STATUS,
    WAIT
  }

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "VERB",
      description =
          "list: a line for each policy; show: one; status: a line for each node; wait: until all"
              + " nodes enforce one, or all policies without a name.")
  @Nullable Verb verb;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "NAME",
      defaultValue = "",
      description =
          "With show and wait: the policy as NAMESPACE/NAME; NAME alone is one of the cluster, or,"
              + " with -n, of that namespace.")
  String name = "";

  @Option(
      names = {"-n", "--namespace"},
      paramLabel = "NAMESPACE",
      defaultValue = "",
      description = "The policies' namespace (default: all, and those of the cluster).")
  String namespace = "";

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "60",
      description = "With wait: how long at most (default: ${DEFAULT-VALUE}).")
  int timeout = 60;

  @Mixin KubeconfigOption kubeconfig = new KubeconfigOption();

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  private final InstantSource clock;

  /** The command as it is typed. */
  public PolicyCommand() {
    this(InstantSource.system());
  }

  /** By another clock than this machine's: how long nodes have been silent goes by it. */
  public PolicyCommand(InstantSource clock) {
    this.clock = clock;
  }

  @Override
  public Integer call() throws InterruptedException {
    // Not required for picocli, which would ask it of subcommands too.
    Verb asked = verb;
    if (asked == null) {
      throw new ParameterException(spec.commandLine(), "Missing required parameter: 'VERB'");
    }
    PrintWriter out = spec.commandLine().getOut();
    ApiServer server = kubeconfig.server();
    try (ApiObjects api = new ApiObjects(server, Dialer.HERE, PATIENCE)) {
      Integer code =
          switch (asked) {
            case LIST -> list(out, PolicyOverview.read(api, clock.instant()));
            case SHOW -> show(out, PolicyOverview.read(api, clock.instant()));
            case STATUS -> status(out, PolicyOverview.enforced(api, clock.instant()));
            case WAIT -> await(out, api);
          };
      out.flush();
      return code;
    } catch (IOException e) {
      throw KubeconfigOption.unanswered(server, e);
    }
  }

  private int list(PrintWriter out, PolicyOverview all) {
    List<PolicyOverview.Entry> entries =
        all.policies().stream()
            .filter(one -> namespace.isEmpty() || namespace.equals(one.namespace()))
            .toList();
    if (output.json()) {
      out.println(Json.write(Map.of("policies", entries.stream().map(all::line).toList())));
    } else {
      PolicyText.list(out, all, entries);
    }
    return ExitCode.OK;
  }

  private int show(PrintWriter out, PolicyOverview all) {
    PolicyOverview.Entry entry = named(all);
    if (output.json()) {
      out.println(Json.write(all.whole(entry)));
    } else {
      PolicyText.show(out, all, entry);
    }
    return all.conditions(entry).isEmpty() ? ExitCode.OK : ExitCode.DIFFERS;
  }

  private int status(PrintWriter out, PolicyOverview all) {
    if (output.json()) {
      out.println(Json.write(Map.of("nodes", all.nodeLines())));
    } else {
      PolicyText.status(out, all);
    }
    return all.isEnforced() ? ExitCode.OK : ExitCode.DIFFERS;
  }

  private int await(PrintWriter out, ApiObjects api) throws IOException, InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(timeout).toNanos();
    while (true) {
      PolicyOverview all = PolicyOverview.enforced(api, clock.instant());
      List<String> stale =
          name.isEmpty() ? all.stale(all.policies()) : all.stale(List.of(named(all)));
      if (stale.isEmpty() || System.nanoTime() >= end) {
        return waited(out, stale);
      }
      Thread.sleep(STEP);
    }
  }

  private int waited(PrintWriter out, List<String> stale) {
    if (output.json()) {
      out.println(Json.write(Map.of("enforced", stale.isEmpty(), "stale", stale)));
    } else if (stale.isEmpty()) {
      out.println("enforced on all nodes");
    } else {
      out.println("not enforced after " + timeout + " s on " + String.join(", ", stale));
    }
    return stale.isEmpty() ? ExitCode.OK : ExitCode.DIFFERS;
  }

  private PolicyOverview.Entry named(PolicyOverview all) {
    if (name.isEmpty()) {
      throw CommandFailure.badInput(
          "show needs the name of a policy.", "Look at sund policy list.");
    }
    String whole = name.indexOf('/') >= 0 || namespace.isEmpty() ? name : namespace + "/" + name;
    return all.policies().stream()
        .filter(one -> one.ref().name().equals(whole))
        .findFirst()
        .orElseThrow(() ->
            CommandFailure.badInput(
                "There is no policy " + whole + ".",
                "Look at sund policy list; name the namespace with -n."));
  }
}
