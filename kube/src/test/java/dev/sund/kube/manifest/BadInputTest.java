package dev.sund.kube.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * What is said about each file of {@code bad/}, word for word. The words are part of the product:
 * run with {@code -Dsund.golden=write} to write them anew, and read the difference.
 */
class BadInputTest {
  private static final Path FOLDER =
      Path.of(
          System.getProperty("sund.root"), "kube/src/test/resources/dev/sund/kube/manifest/bad");

  @TestFactory
  List<DynamicTest> eachBadFileIsExplained() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files
          .filter(file -> !file.toString().endsWith(".txt"))
          .sorted()
          .map(
              file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> explained(file)))
          .toList();
    }
  }

  private static void explained(Path file) throws IOException {
    String name = file.getFileName().toString();
    Manifests read = ManifestFiles.parse(name, Files.readString(file));
    String said =
        read.findings().stream().map(Finding::toString).collect(Collectors.joining("\n\n"))
            + "\n\n"
            + read.objects().stream()
                .map(object -> (object.usable() ? "used: " : "refused: ") + object.ref() + "\n")
                .collect(Collectors.joining());
    Path golden = FOLDER.resolve(name.substring(0, name.lastIndexOf('.')) + ".txt");
    if (System.getProperty("sund.golden", "").equals("write")) {
      Files.writeString(golden, said);
    }
    assertThat(said).isEqualTo(Files.readString(golden));
  }
}
