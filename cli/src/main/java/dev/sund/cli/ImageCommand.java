package dev.sund.cli;

import dev.sund.cli.pack.Distribution;
import dev.sund.cli.pack.OciArchive;
import dev.sund.cli.pack.Sysroot;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sund image}. */
@Command(
    name = "image",
    header = "Pack this checkout's build as the archive of a container image; no Docker is needed.",
    description = {
      "",
      "The archive is an OCI image layout of one layer: Sund with its own Java run time in /opt/sund,"
          + " and the C library it needs; no shell."
    },
    footer = {
      "  sudo ./sund image",
      "  sudo ctr -n k8s.io images import sund-VERSION-linux-amd64.oci.tar",
      "  sudo podman load -i sund-VERSION-linux-amd64.oci.tar"
    })
public final class ImageCommand implements Callable<Integer> {
  @Mixin PackOptions options = new PackOptions();

  @Option(
      names = {"-t", "--tag"},
      paramLabel = "NAME:TAG",
      description = "The image's name (default: sund.dev/sund:VERSION).")
  @Nullable String tag;

  @Option(
      names = "--sysroot",
      paramLabel = "DIR",
      description = {
        "Take the C library from the system below this folder (default: this machine's; for another"
            + " kind of machine, that of its cross compiler)."
      })
  @Nullable Path sysroot;

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws Exception {
    Distribution distribution = options.distribution();
    String reference = tag == null ? "sund.dev/sund:" + distribution.version() : tag;
    if (!reference.matches("[a-z0-9][a-zA-Z0-9./_-]*:[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")) {
      throw CommandFailure.badInput(
          "--tag " + reference + " is not NAME:TAG.", "Give a name such as registry/sund:0.1.0.");
    }
    Sysroot libraries =
        sysroot == null
            ? Sysroot.installed(distribution.jdk())
            : new Sysroot(sysroot.toAbsolutePath(), distribution.jdk().architecture());
    String created = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    Path output =
        options.pack(
            distribution,
            ".oci.tar",
            spec.commandLine().getErr(),
            (of, staged, work, to) ->
                OciArchive.pack(staged, of.jdk(), libraries, work, reference, created, to));
    spec.commandLine()
        .getOut()
        .println("%s  %s  %.1f MB".formatted(output, reference, Files.size(output) / 1e6));
    return ExitCode.OK;
  }
}
