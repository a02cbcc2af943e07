package dev.sund.cli;

import dev.sund.agent.local.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sund service}: what this node makes of the cluster's Services. */
@Command(
    name = "service",
    header = "Show where Services answer on this node, who answers, and why others do not.",
    description = {
      "",
      "Asks the agent of this node. 'used' are endpoints to which connections go where the policy is"
          + " Cluster; with a policy Local those on this node alone are asked. Connections are those"
          + " of the kernel's table now; packets are counted where net.netfilter.nf_conntrack_acct is"
          + " 1."
    },
    footer = {
      "  sudo sund service list",
      "  sudo sund service list -n shop -o json",
      "  sudo sund service show web -n shop"
    })
public final class ServiceCommand implements Callable<Integer> {
  /** What is to be shown. */
  enum Verb {
    LIST,
    SHOW
  }

  @Parameters(
      index = "0",
      paramLabel = "VERB",
      description = "list: a line for each; show: one, with its endpoints.")
  Verb verb = Verb.LIST;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "NAME",
      defaultValue = "",
      description = "With show: the Service, also as NAMESPACE/NAME.")
  String name = "";

  @Option(
      names = {"-n", "--namespace"},
      paramLabel = "NAMESPACE",
      defaultValue = "",
      description = "Its namespace (default: 'default'; with list: all).")
  String namespace = "";

  @Mixin AgentTalk agent = new AgentTalk();

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    Integer code =
        switch (verb) {
          case LIST -> list(out);
          case SHOW -> show(out);
        };
    out.flush();
    return code;
  }

  private Integer list(PrintWriter out) throws IOException {
    Map<String, Object> said = ask(Map.of("command", "SERVICE", "verb", "list"));
    List<Map<String, Object>> services =
        Json.children(said, "services").stream()
            .filter(one -> namespace.isEmpty() || namespace.equals(one.get("namespace")))
            .toList();
    if (output.json()) {
      out.println(Json.write(Map.of("services", services)));
    } else {
      ServiceText.list(out, services);
    }
    return ExitCode.OK;
  }

  private Integer show(PrintWriter out) throws IOException {
    if (name.isEmpty()) {
      throw CommandFailure.badInput(
          "show needs the name of a Service.", "Look at sund service list.");
    }
    String whole =
        name.indexOf('/') >= 0 ? name : (namespace.isEmpty() ? "default" : namespace) + "/" + name;
    Map<String, Object> request = new LinkedHashMap<>();
    request.put("command", "SERVICE");
    request.put("verb", "show");
    request.put("service", whole);
    Map<String, Object> service = ask(request);
    if (output.json()) {
      out.println(Json.write(service));
    } else {
      ServiceText.show(out, service);
    }
    return Json.texts(service, "conditions").isEmpty() ? ExitCode.OK : ExitCode.DIFFERS;
  }

  private Map<String, Object> ask(Map<String, ?> request) throws IOException {
    AgentTalk.Said answered = agent.ask(request);
    if (answered.answer().exitCode() != 0) {
      throw CommandFailure.badInput(
          String.valueOf(answered.fields().get("msg")),
          String.valueOf(answered.fields().get("details")));
    }
    return answered.fields();
  }
}
