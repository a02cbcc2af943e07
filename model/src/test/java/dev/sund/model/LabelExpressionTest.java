package dev.sund.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LabelExpressionTest {
  private static final Map<String, String> LABELS =
      Map.of("zone", "west-1", "kubernetes.io/hostname", "n1", "gpu", "", "all", "x", "in", "y");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "  ",
        "all()",
        "all( )",
        "global()",
        "has(zone)",
        "has(gpu)",
        "!has(disk)",
        "zone == 'west-1'",
        "zone=='west-1'",
        "zone == \"west-1\"",
        "zone != 'east'",
        "disk != 'ssd'",
        "zone in {'east', 'west-1'}",
        "zone in{'west-1'}",
        "zone not in {'east'}",
        "disk not in { 'ssd' }",
        "zone not in {}",
        "zone contains 'st-'",
        "zone starts with 'west'",
        "zone  starts   with 'west'",
        "zone ends with '-1'",
        "kubernetes.io/hostname == 'n1'",
        "all == 'x' && in in {'y'}",
        "has(disk) || has(zone)",
        "has(disk) && has(x) || has(zone)",
        "has(zone) || has(x) && has(disk)",
        "!(has(disk) && has(zone))",
        "!!has(zone)",
        "!has(disk) && !has(x)"
      })
  void selects(String text) {
    LabelExpression expression = LabelExpression.parse(text);
    assertThat(expression.matches(LABELS)).isTrue();
    assertThat(LabelExpression.parse(expression.toString())).isEqualTo(expression);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "has(disk)",
        "zone == 'West-1'",
        "zone != 'west-1'",
        "disk in {'ssd'}",
        "zone not in {'west-1'}",
        "zone in {}",
        "disk contains ''",
        "zone starts with '1'",
        "zone ends with 'west'",
        "(has(zone) || has(x)) && has(disk)",
        "!all()"
      })
  void leavesOut(String text) {
    LabelExpression expression = LabelExpression.parse(text);
    assertThat(expression.matches(LABELS)).isFalse();
    assertThat(LabelExpression.parse(expression.toString())).isEqualTo(expression);
  }

  @Test
  void whatHasNoNamespaceIsGlobal() {
    assertThat(LabelExpression.parse("global()").matches(Map.of())).isTrue();
    assertThat(LabelExpression.parse("global()").matches(Map.of("projectcalico.org/namespace", "")))
        .isFalse();
  }

  @Test
  void onlyTheExpressionThatSelectsAllIsAll() {
    assertThat(LabelExpression.parse("( all() )").isAll()).isTrue();
    assertThat(LabelExpression.parse("has(a) || all()").isAll()).isFalse();
    assertThat(LabelExpression.parse("a in {'y','x', 'y'}"))
        .hasToString("a in {'x', 'y'}")
        .hasSameHashCodeAs(LabelExpression.parse("a in {\"x\",'y'}"));
    assertThat(LabelExpression.parse("!(a == \"it's\" && (b == '1' || all()))"))
        .hasToString("!(a == \"it's\" && (b == '1' || all()))");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          zone == west        ; expected a value in quotes, but there is 'west'
          zone = 'west'       ; expected ==, !=, in, not in, contains, starts with or ends with after zone, but there is '= 'west''
          zone == 'west       ; expected a value in quotes, but there is ''west'
          zone                ; expected ==, !=, in, not in, contains, starts with or ends with after zone, but there is the end
          has(zone            ; expected ), but there is the end
          any()               ; 'any()' is none of all(), global(), has(KEY)
          all() all()         ; expected the end, && or ||, but there is 'all()'
          all() &&            ; expected a label's key or a function, but there is the end
          zone in 'west'      ; expected {, but there is ''west''
          zone in {'a' 'b'}   ; expected }, but there is ''b'}'
          zone notin {'a'}    ; expected ==, !=, in, not in, contains, starts with or ends with after zone, but there is 'notin {'a'}'
          """)
  void saysWhatIsWrong(String text, String sentence) {
    assertThatThrownBy(() -> LabelExpression.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(sentence);
  }

  @Test
  void refusesWhatIsNestedWithoutEnd() {
    assertThatThrownBy(() -> LabelExpression.parse("!".repeat(100_000) + "all()"))
        .hasMessage("more than 100 parentheses and negations are inside of each other");
  }
}
