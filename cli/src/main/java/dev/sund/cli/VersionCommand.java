package dev.sund.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code sund version}. */
@Command(
    name = "version",
    header = "Print the version of Sund, of Java and of the kernel.",
    footer = {"  sund version", "  sund version -o json"})
public final class VersionCommand implements Callable<Integer> {
  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    String line =
        output.json()
            ? "{\"sund\":\"%s\",\"java\":\"%s\",\"kernel\":\"%s\",\"arch\":\"%s\"}"
                .formatted(
                    Version.text(),
                    Runtime.version(),
                    System.getProperty("os.version"),
                    System.getProperty("os.arch"))
            : new Version().getVersion()[0];
    spec.commandLine().getOut().println(line);
    return ExitCode.OK;
  }
}
