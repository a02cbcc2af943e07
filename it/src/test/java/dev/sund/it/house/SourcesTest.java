package dev.sund.it.house;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.model.Marks;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What holds for every file of the checkout. */
class SourcesTest {
  /** Folders under which checkouts usually lie; their names alone betray nothing. */
  private static final Set<String> USUAL = Set.of("/", "/tmp", "/root", "/home", "/opt", "/srv");

  @Test
  void noFileKnowsTheMachineItWasWrittenOn() {
    List<String> places = new ArrayList<>(List.of(Sources.root() + "/"));
    for (Path above = Sources.root().getParent();
        above != null && !USUAL.contains(above.toString()) && !above.startsWith("/tmp");
        above = above.getParent()) {
      places.add(above + "/");
    }
    Pattern home = Pattern.compile("/(home|Users)/[a-z][a-z0-9_-]*/");
    List<String> found = new ArrayList<>();
    for (Path file : Sources.files()) {
      String text = Sources.text(file);
      places.stream().filter(text::contains).forEach(place -> found.add(file + ": " + place));
      if (home.matcher(text).find()) {
        found.add(file + ": somebody's home folder");
      }
    }
    assertThat(found).isEmpty();
  }

  @Test
  void nothingIsLeftForLater() {
    Pattern later = Pattern.compile("\\b(TO" + "DO|FIX" + "ME|XX" + "X)\\b");
    assertThat(Sources.files())
        .filteredOn(file -> !file.endsWith("LICENSE"))
        .allSatisfy(file -> assertThat(later.matcher(Sources.text(file)).find()).isFalse());
  }

  @Test
  void namesAndNumbersOfOursAreWrittenInMarksOnly() {
    List<String> owned =
        List.of(
            '"' + Marks.VXLAN_V4 + '"',
            '"' + Marks.VXLAN_V6 + '"',
            '"' + Marks.IPIP_V4 + '"',
            '"' + Marks.FORWARD_COMMENT + '"',
            '"' + Marks.GATEWAY_V4.toString() + '"',
            '"' + Marks.GATEWAY_V6.toString() + '"',
            '"' + Marks.GATEWAY_MAC.toString() + '"',
            "0x" + Integer.toHexString(Marks.GROUP_PODS),
            "0x" + Integer.toHexString(Marks.GROUP_DOOMED),
            "0x" + Integer.toHexString(Marks.GROUP_TUNNELS));
    List<String> found = new ArrayList<>();
    for (Path file : Sources.mainJava()) {
      if (!file.endsWith("Marks.java")) {
        String text = Sources.text(file).toLowerCase(Locale.ROOT);
        owned.stream().filter(text::contains).forEach(mark -> found.add(file + ": " + mark));
      }
    }
    assertThat(found).isEmpty();
  }

  @Test
  void everyPackageSaysWhatItIsFor() {
    Set<String> packages = new TreeSet<>();
    Set<String> explained = new TreeSet<>();
    for (Path file : Sources.mainJava()) {
      if (!file.endsWith("module-info.java")) {
        packages.add(file.getParent().toString());
      }
      if (file.endsWith("package-info.java")) {
        explained.add(file.getParent().toString());
      }
    }
    assertThat(explained).isEqualTo(packages);
  }

  @Test
  void everyFileCanBeReadInOneGo() {
    assertThat(Sources.files())
        .filteredOn(file -> file.toString().endsWith(".java"))
        .allSatisfy(
            file -> assertThat(Sources.text(file).lines().count()).isLessThanOrEqualTo(700));
  }
}
