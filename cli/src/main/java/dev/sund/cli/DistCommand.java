package dev.sund.cli;

import dev.sund.cli.pack.Distribution;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code sund dist}. */
@Command(
    name = "dist",
    header = "Pack this checkout's build with its own Java run time as a tarball.",
    description = {
      "",
      "Unpacked anywhere, bin/sund in it needs a C library and nothing else. Run as root it also"
          + " holds the cache that lets agents start faster."
    },
    footer = {
      "  sudo ./sund dist                            sund-VERSION-linux-ARCH.tar.gz, here",
      "  ./sund dist -f /tmp/sund.tar.gz",
      "  ./sund dist --jdk ~/jdk-25-linux-aarch64    for arm64"
    })
public final class DistCommand implements Callable<Integer> {
  @Mixin PackOptions options = new PackOptions();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws Exception {
    Path output =
        options.pack(
            options.distribution(),
            ".tar.gz",
            spec.commandLine().getErr(),
            (_, staged, _, to) -> Distribution.pack(staged, to));
    spec.commandLine().getOut().println("%s  %.1f MB".formatted(output, Files.size(output) / 1e6));
    return ExitCode.OK;
  }
}
