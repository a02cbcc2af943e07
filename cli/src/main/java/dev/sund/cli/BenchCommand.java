package dev.sund.cli;

import dev.sund.cli.CheckoutTool.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code sund bench}. */
@Command(
    name = "bench",
    header = "Measure the figures that Sund promises, each beside its baseline in the same run.",
    description = {
      "",
      "Each row: figure, unit, baseline, ratio (with its 95 %% interval where pairs were run),"
          + " target, met or not. A target binds the interval's worse end."
    },
    footer = {
      "  sudo ./sund bench                           every row",
      "  sudo ./sund bench remote-nodes agent-costs  these, by parts of their names",
      "  sudo ./sund bench -o json"
    })
public final class BenchCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "NAME",
      arity = "0..*",
      description = "Run benchmarks with this in their name (default: all).")
  List<String> names = new ArrayList<>();

  @Option(names = "--long", description = "Run more pairs and longer counts.")
  boolean thorough;

  @Mixin OutputFormat output = new OutputFormat();

  @ParentCommand Sund sund = new Sund();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws Exception {
    return CheckoutTools.find("bench")
        .run(
            new Request(names, thorough, OptionalLong.empty(), output.json(), sund.colors()),
            spec.commandLine().getOut());
  }
}
