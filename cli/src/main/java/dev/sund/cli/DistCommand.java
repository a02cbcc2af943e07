package dev.sund.cli;

import dev.sund.cli.pack.Distribution;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description = "Write to this file (default: named after what is in it, in this folder).")
  @Nullable Path file;

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws Exception {
    Distribution distribution = options.distribution();
    Path output = file == null ? Path.of(distribution.name() + ".tar.gz") : file;
    PrintWriter err = spec.commandLine().getErr();
    PackOptions.inFolderOfItsOwn(
        output,
        folder -> {
          Path staged = distribution.stage(folder, step -> err.println("sund: " + step));
          err.println("sund: packing");
          Distribution.pack(staged, output);
        });
    spec.commandLine().getOut().println("%s  %.1f MB".formatted(output, Files.size(output) / 1e6));
    return ExitCode.OK;
  }
}
