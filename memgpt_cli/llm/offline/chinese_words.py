"""Words that the Chinese sentence forms are made of: relatives, animals, family names. No dictionary."""

from typing import Final

RELATIVES: Final = (
    "男朋友 女朋友 哥们 姐们 姐妹 兄弟 网友 表叔 战友 恋人 爱人 爸妈 父母 家人 男神 女神 伴侣 亲戚 姑妈 姨 舅"
    " 伯父 伯母 大伯 嫂子 姐夫 妹夫 弟媳 儿媳"
    " 女婿 干妈 干爸 班主任 教练 前夫 前妻 前男友 前女友 客户 队友 搭档"
    "  未婚夫 未婚妻 好朋友 好闺蜜 妈妈 爸爸 母亲 父亲 哥哥 弟弟 姐姐 妹妹 儿子 女儿 孩子 宝宝"
    " 双胞胎 妻子 老婆 太太 媳妇"
    " 丈夫 老公 先生 爷爷 奶奶 外公 外婆 姥姥 姥爷 公公 婆婆 岳父 岳母 男友 女友 对象 闺蜜 朋友 同事 老板"
    " 上司 老师 室友 舍友 邻居"
    " 房东 同学 学生 叔叔 阿姨 舅舅 舅妈 姑姑 姨妈 表哥 表姐 表弟 表妹 堂哥 堂姐 堂弟 堂妹 侄子 侄女 外甥"
    " 孙子 孙女 爸 妈 哥 姐"
)
RELATIVE: Final = "(?:" + "|".join(sorted(RELATIVES.split(), key=len, reverse=True)) + ")"
PET: Final = "(?:小?猫咪?|小?狗狗?|兔子|仓鼠|鹦鹉|乌龟|金鱼|小鸟|宠物)"
SOMEBODY: Final = f"(?:{RELATIVE}|{PET})"
SAME_PEOPLE: Final = {
    word: words.split()[0]
    for words in (
        "老婆 妻子 太太 媳妇",
        "老公 丈夫 先生",
        "妈妈 母亲 妈",
        "爸爸 父亲 爸",
        "男朋友 男友",
        "女朋友 女友",
        "猫 猫咪 小猫",
        "狗 狗狗 小狗",
    )
    for word in words.split()
}
"""For a word, the one that stands for all that mean the same relative."""
FAMILY_NAME: Final = (
    "欧阳|司马|诸葛|上官|[王李张刘陈杨赵黄周吴徐孙朱胡郭林罗郑梁谢宋唐许韩冯邓曹彭曾肖萧田董袁潘蒋蔡余杜魏"
    "吕丁沈姚卢傅钟姜崔谭廖范汪陆戴贾韦邱侯邹孟秦阎薛段郝龚邵陶黎贺章]"
)
"""The commonest family names, without those that are common words too."""
