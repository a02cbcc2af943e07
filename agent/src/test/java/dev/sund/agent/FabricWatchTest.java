package dev.sund.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.log.LogLevel;
import dev.sund.agent.log.LogSink;
import dev.sund.engine.FabricSettings;
import dev.sund.kube.manifest.FabricObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of a Fabric that is changed while the agent runs. */
class FabricWatchTest {
  private final List<String> lines = new ArrayList<>();
  private final List<Boolean> told = new ArrayList<>();
  @TempDir private Path directory;

  @Test
  void strictnessIsTakenAndWhatElseDiffersIsSaid() throws Exception {
    Path file = directory.resolve("fabric.yaml");
    LogSink sink =
        new LogSink(lines::add, InstantSource.system(), System::nanoTime, "", LogLevel.INFO);
    FabricWatch watch =
        new FabricWatch(
            file,
            FabricSettings.DEFAULT,
            settings -> told.add(settings.strict()),
            sink.log("fabric"));
    watch.look();
    assertThat(told).as("a file that is not there changes nothing").isEmpty();

    write(file, FabricObject.text(FabricSettings.DEFAULT));
    watch.look();
    assertThat(told).isEmpty();

    write(file, FabricObject.text(FabricSettings.DEFAULT.withStrict(true)));
    watch.look();
    watch.look();
    assertThat(told).containsExactly(true);

    write(file, "apiVersion: sund.dev/v1alpha1\nkind: Fabric\npolicies: {strickt: false}\n");
    watch.look();
    assertThat(told).containsExactly(true);
    assertThat(watch.conditions().getFirst().field()).isEqualTo("policies.strickt");

    write(file, "apiVersion: sund.dev/v1alpha1\nkind: Fabric\nvni: 7\n");
    watch.look();
    assertThat(told).containsExactly(true, false);
    assertThat(watch.conditions()).isEmpty();
    sink.flush();
    assertThat(lines).anyMatch(line -> line.contains("holds from its next start"));
  }

  private static void write(Path file, String text) throws Exception {
    Files.writeString(file, text);
  }
}
