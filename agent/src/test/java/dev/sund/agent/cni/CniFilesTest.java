package dev.sund.agent.cni;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Json;
import dev.sund.model.Marks;
import dev.sund.model.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CniFilesTest {
  @TempDir private Path dir;
  private Path conf;
  private Path bin;
  private CniFiles files;

  @BeforeEach
  void plugin() throws IOException {
    conf = dir.resolve("net.d");
    bin = dir.resolve("bin");
    files = new CniFiles(conf, bin, Files.writeString(dir.resolve("built"), "program"));
  }

  @Test
  void bothFilesAreWrittenAndPutRightAgain() throws Exception {
    assertThat(files.ensure()).isEmpty();
    assertThat(bin.resolve("sund-cni")).hasContent("program").isExecutable();
    Path list = conf.resolve("10-sund.conflist");
    assertThat(list).hasContent(CniFiles.conflist());
    assertThat(Json.object(Files.readAllBytes(list)))
        .containsEntry("cniVersion", "1.0.0")
        .containsEntry("name", "sund");
    Files.delete(list);
    Files.writeString(bin.resolve("sund-cni"), "older");
    assertThat(files.ensure()).isEmpty();
    assertThat(list).exists();
    assertThat(bin.resolve("sund-cni")).hasContent("program");
    assertThat(conf).isDirectoryNotContaining("glob:**.new");
  }

  @Test
  void everyKeyOfTheConflistIsOneThatThePluginTakes() throws Exception {
    var plugin =
        Json.children(Json.object(CniFiles.conflist().getBytes(StandardCharsets.UTF_8)), "plugins")
            .getFirst();
    plugin.put("name", "sund");
    plugin.put("cniVersion", "1.0.0");
    NetworkConfig.parse(plugin, CniCommand.ADD).refuseUnknownKeys(java.util.Set.of());
  }

  @Test
  void anotherNetworksFileThatComesFirstIsSaid() throws Exception {
    Files.createDirectories(conf);
    Files.writeString(conf.resolve("10-flannel.conflist"), "{}");
    Files.writeString(conf.resolve("00-note.txt"), "");
    Files.writeString(conf.resolve("99-loopback.conf"), "{}");
    assertThat(files.ensure())
        .singleElement()
        .satisfies(one -> {
          assertThat(one.reason()).isEqualTo(Reason.CONFLIST_SHADOWED);
          assertThat(one.object().name()).endsWith("10-flannel.conflist");
        });
  }

  @Test
  void aConflistOfOurNameForAnotherPluginIsLeftAlone() throws Exception {
    Files.createDirectories(conf);
    Path list = Files.writeString(conf.resolve(Marks.CONFLIST), "{\"type\":\"other\"}");
    assertThat(files.ensure())
        .singleElement()
        .satisfies(one -> assertThat(one.reason()).isEqualTo(Reason.CNI_NOT_INSTALLED));
    assertThat(CniFiles.remove(conf, bin, false)).hasSize(1);
    assertThat(list).exists();
  }

  @Test
  void whatCannotBeWrittenIsSaid() throws Exception {
    Files.writeString(conf, "a file where a folder should be");
    assertThat(files.ensure())
        .singleElement()
        .satisfies(one ->
            assertThat(one.toString())
                .contains("10-sund.conflist", "cannot be written", "Mount the runtime's folder"));
  }

  @Test
  void removalTakesOursAndNothingElse() throws Exception {
    files.ensure();
    Files.writeString(conf.resolve("99-loopback.conf"), "{}");
    Files.writeString(bin.resolve("bridge"), "");
    assertThat(CniFiles.remove(conf, bin, true)).hasSize(2);
    assertThat(conf.resolve("10-sund.conflist")).exists();
    assertThat(CniFiles.remove(conf, bin, false))
        .containsExactly(
            "remove conflist " + conf.resolve("10-sund.conflist"),
            "remove plugin " + bin.resolve("sund-cni"));
    assertThat(conf).isDirectoryContaining("glob:**99-loopback.conf");
    assertThat(bin).isDirectoryContaining("glob:**bridge");
    assertThat(CniFiles.remove(conf, bin, false)).isEmpty();
  }
}
