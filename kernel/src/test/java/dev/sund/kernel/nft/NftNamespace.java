package dev.sund.kernel.nft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.Fd;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A namespace of its own, with the {@code nft} program as the independent reader and writer. */
final class NftNamespace implements AutoCloseable {
  private static int count;

  private final NetNs namespace;

  NftNamespace() throws KernelException {
    namespace = NetNs.create("sundt-nft-" + ProcessHandle.current().pid() + "-" + count++);
  }

  NetNs namespace() {
    return namespace;
  }

  /** Runs {@code nft} inside and returns what it printed; fails when it fails. */
  String nft(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("nsenter", "--net=" + namespace.path(), "nft"));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    assertThat(process.exitValue())
        .withFailMessage(() -> String.join(" ", command) + ": " + output)
        .isZero();
    return output;
  }

  /** Loads a rule set from text. */
  void load(String ruleset) throws IOException {
    Path file = Files.createTempFile("sundt", ".nft");
    try {
      Files.writeString(file, ruleset);
      nft("-f", file.toString());
    } finally {
      Files.delete(file);
    }
  }

  @Override
  public void close() throws KernelException {
    namespace.delete();
    assertThat(Fd.openDescriptors()).isEmpty();
  }
}
