package dev.sund.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a compiler knows can be told to another, which then knows the same. */
class LastWordsTest {
  @Test
  void whoIsToldTheLastWordsMakesTheSameProgram() {
    Property.forAll(
        300,
        RandomCluster::history,
        RandomCluster.History::smaller,
        history -> {
          ProgramCompiler first = new ProgramCompiler(RandomCluster.SELF, FabricSettings.DEFAULT);
          history.events().forEach(event -> first.apply(List.of(event)));
          LastWords words = first.lastWords();
          ProgramCompiler second = new ProgramCompiler(RandomCluster.SELF, FabricSettings.DEFAULT);
          List<dev.sund.engine.cluster.ClusterEvent> all = new ArrayList<>(words.cluster());
          all.addAll(words.node());
          second.apply(all);
          assertThat(second.program()).isEqualTo(first.program());
          assertThat(second.lastWords()).isEqualTo(words);
        });
  }
}
