package dev.sund.cli;

import dev.sund.cli.CheckoutTool.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code sund test}. */
@Command(
    name = "test",
    header = "Run the tests, tier by tier: every behaviour once.",
    description = {
      "",
      "Tiers: unit, netns (real kernel, in namespaces of its own), interop, guest. The last line is"
          + " always 'N passed, N failed', with ', N skipped' when some were."
    },
    footer = {
      "  sudo ./sund test                    everything",
      "  sudo ./sund test RouteDriver        classes and methods with this in their name",
      "  sudo ./sund test --long --seed 7    the full counts, with a given seed"
    })
public final class TestCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "NAME",
      arity = "0..*",
      description = "Run tests whose class or method has this in its name (default: all).")
  List<String> names = new ArrayList<>();

  @Option(names = "--long", description = "Run the full counts (default: a tenth).")
  boolean thorough;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The seed of all that is random (default: a new one, printed).")
  @Nullable Long seed;

  @ParentCommand Sund sund = new Sund();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws Exception {
    OptionalLong wanted = seed == null ? OptionalLong.empty() : OptionalLong.of(seed);
    return CheckoutTools.find("test")
        .run(
            new Request(names, thorough, wanted, false, sund.colors()),
            spec.commandLine().getOut());
  }
}
