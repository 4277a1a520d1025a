/** Forty short passages in our own words, and ten questions that share few words with their answers. */
import type { DocumentInput } from "../../src/documents/types.js";

const TEXTS: Readonly<Record<string, string>> = {
  sourdough:
    "A starter of flour and water catches wild yeast. Feed it daily, and after a week it raises a loaf on its own.",
  knife:
    "Hold the blade at fifteen degrees to the whetstone and draw it along from heel to tip, then turn it over.",
  coffee: "Grounds that are too fine give a harsh cup; coarser grinding or cooler water softens it.",
  rice: "Rinse the grains until the water stays clear, then simmer them under a lid without stirring.",
  yoghurt: "Warm milk with a spoon of live culture thickens overnight when it is kept at forty degrees.",
  soap: "Fat and lye react to salts of fatty acids. The bars must cure for weeks before they are mild to the skin.",
  compost:
    "Kitchen scraps and dry leaves, turned now and then, become dark crumbly soil within a few months.",
  roses: "Cut the canes back above an outward-facing bud at the end of winter, before new growth begins.",
  lawn: "Moss takes over where the ground is shaded, wet and sour. Lime and better drainage favour the grass.",
  bees: "When a colony runs out of space, the old queen leaves with half of the workers and hangs in a tree.",
  owls: "Fringed feathers break up the air, so that the bird reaches its prey without a sound.",
  salmon:
    "The fish return from the ocean to the stream where they hatched, guided by the smell of its water.",
  bats: "They call at frequencies above human hearing and build a picture of the room from the echoes.",
  whales: "Fat under the skin keeps the animals warm and feeds them on the long journey between oceans.",
  corals: "In water that is too warm they expel the algae that feed them, turn white and often starve.",
  tides:
    "The Moon pulls harder on the near side of the Earth than on the far side, so the sea rises on both.",
  seasons: "The axis of the Earth is tilted, so each half is turned towards the Sun for six months.",
  rainbow: "Light is bent and reflected inside drops of water, each colour at an angle of its own.",
  thunder: "The bolt heats the air in its path so quickly that it expands with a bang.",
  glacier: "Snow that never melts is pressed to ice, which creeps downhill under its own weight.",
  eclipse: "When the Moon passes exactly between us and the Sun, its shadow crosses the land at high speed.",
  comet: "Near the Sun, ice turns to gas and carries dust along; light pushes it away into a tail.",
  mutex:
    "Only one thread may hold the lock; the others wait until it is released, so shared data stay intact.",
  garbage:
    "Objects that nothing refers to any more are found and their memory is given back while the program runs.",
  hashing:
    "A function maps each key to a slot of an array; when two keys meet in one slot, they form a short chain.",
  tcp: "Segments that are not acknowledged in time are sent again, and the receiver puts them in order.",
  dns: "A resolver asks the root, then the zone of the country, then the owner, and remembers the address it got.",
  branch:
    "Work on a feature apart from the main line, and bring both together once the tests pass and someone looked at it.",
  index:
    "A sorted tree over one column lets the database jump to matching rows instead of reading all of them.",
  cache:
    "Keep the results that were asked for most recently close at hand, and drop those not used for longest.",
  password:
    "Store a salted slow hash of it, never the thing itself, so that a stolen table is of little use.",
  mortgage:
    "The bank lends against the house. Early instalments are mostly interest, later ones mostly principal.",
  inflation:
    "When more money chases the same goods, prices rise, and savings buy less with each passing year.",
  insurance: "Many people pay a little, so that the few who suffer a loss do not have to bear it alone.",
  vaccine:
    "A harmless piece of the germ trains the immune system, which then recognises the real one at once.",
  fracture:
    "The bone is set straight and held still by a cast for six weeks while new tissue bridges the gap.",
  jetlag:
    "After a flight across time zones the inner clock is wrong; daylight in the morning sets it right again.",
  vertigo:
    "Loose crystals in the inner ear make the room spin when the head turns; a few slow movements put them back.",
  violin: "Rosin on the horsehair grips the string and lets it go hundreds of times a second.",
  chess: "Control the centre, bring out knights and bishops, and castle early so that the king is safe.",
};

export const PASSAGES: readonly DocumentInput[] = Object.entries(TEXTS).map(([id, text]) => ({ id, text }));

export const QUESTIONS: readonly (readonly [question: string, id: string])[] = [
  ["how do I sharpen a kitchen blade", "knife"],
  ["why is my espresso bitter", "coffee"],
  ["when should I prune rose bushes", "roses"],
  ["what happens when a beehive gets too crowded", "bees"],
  ["what causes high and low water at the coast", "tides"],
  ["how does lightning make noise", "thunder"],
  ["how to prevent race conditions between threads", "mutex"],
  ["speed up a slow SQL query", "index"],
  ["why does everything become more expensive over time", "inflation"],
  ["dizzy when I turn over in bed", "vertigo"],
];
