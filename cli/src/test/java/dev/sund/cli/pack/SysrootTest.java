package dev.sund.cli.pack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.cli.CommandFailure;
import dev.sund.cli.pack.TargetJdk.Architecture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Libraries for an image, with the files of the C library that this test runs with. */
class SysrootTest {
  @TempDir private Path folder;
  private Path programs;
  private Path libraries;
  private Path libc;
  private Path libm;
  private Sysroot sysroot;

  @BeforeEach
  void lay() throws IOException {
    libc = loaded("libc.so.6");
    libm = loaded("libm.so.6");
    Architecture here = Architecture.here();
    programs = Files.createDirectory(folder.resolve("programs"));
    Files.copy(libm, programs.resolve("program"));
    libraries = Files.createDirectories(folder.resolve("root/lib").resolve(here.triplet()));
    sysroot = new Sysroot(folder.resolve("root"), here);
  }

  /** A library of this process. */
  private static Path loaded(String name) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/maps")).stream()
        .filter(line -> line.endsWith("/" + name))
        .map(line -> Path.of(line.substring(line.indexOf('/'))))
        .findFirst()
        .orElseThrow();
  }

  private static String linker() {
    return switch (Architecture.here()) {
      case AMD64 -> "ld-linux-x86-64.so.2";
      case ARM64 -> "ld-linux-aarch64.so.1";
    };
  }

  @Test
  void findsWhatProgramsNeedAndWhatThatNeeds() throws IOException {
    Files.copy(libc, libraries.resolve("libc.so.6"));
    Files.copy(loaded(linker()), libraries.resolve(linker()));

    Map<Path, Path> found = sysroot.libraries(programs);

    String triplet = Architecture.here().triplet();
    assertThat(found)
        .containsEntry(Path.of("/lib", triplet, "libc.so.6"), libraries.resolve("libc.so.6"))
        .hasSize(2);
    assertThat(found.keySet()).anyMatch(path -> path.endsWith(linker()));
  }

  @Test
  void namesTheProgramAndTheLibraryThatIsNotThere() {
    assertThatThrownBy(() -> sysroot.libraries(programs))
        .isInstanceOf(CommandFailure.class)
        .hasMessageContaining("program needs the library ")
        .hasMessageContaining("not below " + sysroot.folder());
  }

  @Test
  void namesTheVersionThatAnOlderLibraryLacks() throws IOException {
    Files.copy(libm, libraries.resolve("libc.so.6"));
    Files.copy(loaded(linker()), libraries.resolve(linker()));

    assertThatThrownBy(() -> sysroot.libraries(programs))
        .isInstanceOf(CommandFailure.class)
        .hasMessageMatching("program needs GLIBC_\\S+ of libc.so.6, and \\S+ has none\\.");
  }

  @Test
  void whatIsNoProgramOfThisKindIsPassedOver() throws IOException {
    Files.writeString(programs.resolve("notes.txt"), "x".repeat(100));
    Files.write(programs.resolve("empty"), new byte[0]);

    assertThat(Elf.below(programs)).containsOnlyKeys(programs.resolve("program"));
  }
}
