package dev.sund.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class ConditionBookTest {
  @Test
  void allOfThemAreThereOnceAndInOrderWhateverCameBefore() {
    Property.forAll(
        200,
        random -> random,
        random -> {
          ConditionBook book = new ConditionBook();
          Map<Object, List<Condition>> found = new HashMap<>();
          for (int i = 0; i < 300; i++) {
            Integer who = random.nextInt(20);
            List<Condition> now = some(random);
            book.note(who, now);
            found.put(who, now);
            TreeSet<Condition> all = new TreeSet<>();
            found.values().forEach(all::addAll);
            assertThat(book.all()).containsExactlyElementsOf(all);
            assertThat(book.of(who)).isEqualTo(now);
          }
        });
  }

  @Test
  void theListStaysTheSameWhileNothingChanges() {
    ConditionBook book = new ConditionBook();
    book.note("a", some(new Random(1)));
    List<Condition> before = book.all();
    book.note("a", some(new Random(1)));
    book.note("b", List.of());
    assertThat(book.all()).isSameAs(before);
  }

  private static List<Condition> some(Random random) {
    List<Condition> conditions = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      conditions.add(
          new Condition(
              Reason.values()[random.nextInt(3)],
              new ObjectRef("Pod", "shop/web-" + random.nextInt(3)),
              "spec",
              "It is so.",
              "Change it."));
    }
    return conditions;
  }
}
