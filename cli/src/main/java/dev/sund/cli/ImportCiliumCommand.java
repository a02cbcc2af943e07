package dev.sund.cli;

import dev.sund.kube.foreign.CiliumValues;
import dev.sund.kube.foreign.CiliumValues.Imported;
import dev.sund.kube.foreign.HelmValues;
import dev.sund.kube.foreign.Verdict;
import dev.sund.kube.manifest.FabricObject;
import dev.sund.kube.object.IpPoolObject;
import dev.sund.kube.tree.JsonText;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sund import cilium-values}: each value of Cilium's Helm chart with what becomes of it. */
@Command(
    name = "cilium-values",
    header = "Say what becomes of each value of Cilium's Helm chart.",
    description = {
      "",
      "Reads a values file, or a file with the helm command itself. Prints a line for each value:"
          + " accepted, mapped, not needed or refused; and below them the Fabric and the IPPools"
          + " that the values amount to. The lines are comments, so that the output is a manifest.",
      "Exit code 1 when a value is refused."
    },
    footer = {
      "  sund import cilium-values values.yaml > sund.yaml",
      "  helm get values cilium -n kube-system | sund import cilium-values -",
      "  sund import cilium-values values.yaml --set ipam.mode=kubernetes -o json"
    })
public final class ImportCiliumCommand implements Callable<Integer> {
  @Parameters(
      arity = "0..1",
      paramLabel = "FILE",
      description = "The values, or the helm command; - for standard input.")
  String file = "";

  @Option(names = "--set", paramLabel = "NAME=VALUE", description = "A value, as helm takes it.")
  List<String> sets = new ArrayList<>();

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    Map<String, String> values = new LinkedHashMap<>();
    if (!file.isEmpty()) {
      values.putAll(read());
    }
    values.putAll(HelmValues.ofSet(sets));
    if (values.isEmpty()) {
      throw CommandFailure.badInput(
          "There are no values to read.", "Name a values file, or give --set NAME=VALUE.");
    }
    Imported imported = CiliumValues.read(values);
    List<Tree.Mapping> objects = new ArrayList<>();
    objects.add(FabricObject.tree(imported.fabric()));
    imported.pools().forEach(pool -> objects.add(IpPoolObject.tree(pool)));
    PrintWriter out = spec.commandLine().getOut();
    if (output.json()) {
      out.println(json(imported, objects));
    } else {
      imported.verdicts().forEach(verdict -> out.println("# " + line(verdict)));
      out.print(FabricObject.text(imported.fabric()));
      imported.pools().forEach(pool -> out.println("---\n" + JsonText.of(IpPoolObject.tree(pool))));
    }
    out.flush();
    return imported.refuses() ? ExitCode.DIFFERS : ExitCode.OK;
  }

  private Map<String, String> read() {
    try {
      String text =
          file.equals("-")
              ? new String(System.in.readAllBytes(), StandardCharsets.UTF_8)
              : Files.readString(Path.of(file));
      return HelmValues.read(text);
    } catch (MalformedException e) {
      throw CommandFailure.badInput(
          file + ":" + e.line() + ": " + e.getMessage() + ".",
          "Give the file that helm install was given with --values.");
    } catch (IOException e) {
      throw CommandFailure.badInput(
          file + " cannot be read: " + e.getMessage() + ".", "Check the path.");
    }
  }

  private static String line(Verdict verdict) {
    return verdict.toString().replaceAll("\\p{Cntrl}", "?");
  }

  private static String json(Imported imported, List<Tree.Mapping> objects) {
    String values =
        imported.verdicts().stream()
            .map(verdict ->
                "{\"name\":%s,\"value\":%s,\"outcome\":%s,\"text\":%s}"
                    .formatted(
                        dev.sund.cli.JsonText.quote(verdict.name()),
                        dev.sund.cli.JsonText.quote(verdict.value()),
                        dev.sund.cli.JsonText.quote(verdict.outcome().label()),
                        dev.sund.cli.JsonText.quote(verdict.text())))
            .collect(Collectors.joining(",", "[", "]"));
    String made = objects.stream().map(JsonText::of).collect(Collectors.joining(",", "[", "]"));
    return "{\"values\":" + values + ",\"objects\":" + made + "}";
  }
}
