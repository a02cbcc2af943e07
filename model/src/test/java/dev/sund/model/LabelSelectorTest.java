package dev.sund.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.model.LabelSelector.Operator;
import dev.sund.model.LabelSelector.Requirement;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class LabelSelectorTest {
  private static final Map<String, String> WEB = Map.of("app", "web", "tier", "front");

  /** N1. */
  @Test
  void withoutRequirementsItSelectsEverything() {
    assertThat(LabelSelector.ALL.matches(Map.of())).isTrue();
    assertThat(LabelSelector.ALL.isAll()).isTrue();
    assertThat(LabelSelector.of(Map.of())).isEqualTo(LabelSelector.ALL);
  }

  @Test
  void allRequirementsMustHold() {
    assertThat(LabelSelector.of(Map.of("app", "web", "tier", "front")).matches(WEB)).isTrue();
    assertThat(LabelSelector.of(Map.of("app", "web", "tier", "back")).matches(WEB)).isFalse();
    assertThat(
            LabelSelector.of(
                    Map.of("app", "web"), List.of(requirement("tier", Operator.DOES_NOT_EXIST)))
                .matches(WEB))
        .isFalse();
  }

  @Test
  void whatIsNotInValuesNeedsNoLabel() {
    assertThat(one(Operator.IN, "a", "web").matches(WEB)).isTrue();
    assertThat(one(Operator.IN, "a").matches(WEB)).isFalse();
    assertThat(one(Operator.IN, "a").matches(Map.of())).isFalse();
    assertThat(one(Operator.NOT_IN, "a").matches(WEB)).isTrue();
    assertThat(one(Operator.NOT_IN, "web").matches(WEB)).isFalse();
    assertThat(one(Operator.NOT_IN, "web").matches(Map.of())).isTrue();
    assertThat(one(Operator.EXISTS).matches(WEB)).isTrue();
    assertThat(one(Operator.EXISTS).matches(Map.of())).isFalse();
    assertThat(one(Operator.DOES_NOT_EXIST).matches(Map.of())).isTrue();
  }

  @Test
  void twoThatAskTheSameAreEqual() {
    assertThat(
            LabelSelector.of(
                Map.of(),
                List.of(
                    requirement("b", Operator.EXISTS), requirement("a", Operator.IN, "2", "1"))))
        .isEqualTo(
            LabelSelector.of(
                Map.of(),
                List.of(
                    requirement("a", Operator.IN, "1", "2"), requirement("b", Operator.EXISTS))))
        .hasToString("a in (1,2),b");
    assertThat(LabelSelector.of(Map.of("a", "1")))
        .isEqualTo(LabelSelector.of(Map.of(), List.of(requirement("a", Operator.IN, "1"))))
        .hasToString("a=1");
  }

  @Test
  void operatorsWithoutTheirValuesAreRefused() {
    assertThatThrownBy(() -> requirement("app", Operator.IN))
        .hasMessage("operator In of label app needs at least one value");
    assertThatThrownBy(() -> requirement("app", Operator.EXISTS, "web"))
        .hasMessage("operator Exists of label app takes no values");
  }

  private static LabelSelector one(Operator operator, String... values) {
    return LabelSelector.of(Map.of(), List.of(requirement("app", operator, values)));
  }

  private static Requirement requirement(String key, Operator operator, String... values) {
    return new Requirement(key, operator, new TreeSet<>(List.of(values)));
  }
}
